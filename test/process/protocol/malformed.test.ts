// Whatever bytes come, the call that sent them gets the right status, and nobody else notices.
import { IngestRequest, RecordBatch } from "@tailkeep/proto";
import { afterAll, describe, expect, test } from "vitest";
import type { IngestProbe } from "../../support/grpc/ingest-probe.js";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();

function batchRequest(bytes: Uint8Array): Uint8Array {
  const length = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest);
      break;
    }
    length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([0x12, ...length]), bytes]);
}

async function open(): Promise<IngestProbe> {
  const probe = running().stubs.ingest();
  probe.open(ids());
  await probe.untilOpened();
  return probe;
}

const oneScore = RecordBatch.encode({ firstSeq: 1n, entries: [recordEntry(score(1))] }).finish();
const large = (bytes: number) => ({
  eventTimeUs: 1n,
  kind: {
    $case: "frameTracking" as const,
    value: {
      gameId: "g",
      frameHash: undefined,
      frameAnalysisJson: `"${"x".repeat(bytes)}"`,
      stagnationDetected: undefined,
    },
  },
});

describe("a batch", () => {
  test.each<[string, Uint8Array, string, string, RegExp]>([
    [
      "of random bytes",
      batchRequest(Buffer.from("ffffffffffff", "hex")),
      "INVALID_ARGUMENT",
      "MALFORMED",
      /batch\.entries\[0\]: .*stubs/,
    ],
    [
      "cut off",
      batchRequest(oneScore.subarray(0, -1)),
      "INVALID_ARGUMENT",
      "MALFORMED",
      /batch\.entries\[0\].*shorter than it says/,
    ],
    [
      "with a wrong length",
      Buffer.from([0x12, 0x7f, 0x08, 0x01]),
      "INVALID_ARGUMENT",
      "MALFORMED",
      /request .*shorter than it says/,
    ],
    [
      "whose text is not UTF-8",
      batchRequest(Buffer.from("080112060a042a020aff", "hex")),
      "INVALID_ARGUMENT",
      "MALFORMED",
      /batch\.entries\[0\]/,
    ],
    [
      "without entries",
      batchRequest(Buffer.from([0x08, 0x01])),
      "INVALID_ARGUMENT",
      "BAD_FIELD",
      /batch\.entries: is empty; send at least one/,
    ],
    [
      "without number",
      batchRequest(oneScore.subarray(2)),
      "INVALID_ARGUMENT",
      "BAD_FIELD",
      /batch\.first_seq: must be 1 or more/,
    ],
    [
      "with a negative number",
      IngestRequest.encode({ message: { $case: "batch", value: { firstSeq: -5n, entries: [gapEntry(1)] } } }).finish(),
      "INVALID_ARGUMENT",
      "BAD_FIELD",
      /batch\.first_seq: must be 1 or more/,
    ],
    [
      "of a type that is not known",
      batchRequest(Buffer.from("0801" + "1205" + "0a03" + "7a0101", "hex")),
      "INVALID_ARGUMENT",
      "UNKNOWN_TYPE",
      /entries\[0\]\.record: no record type .*; set one of performance_history/,
    ],
    [
      "with an entry that is nothing",
      IngestRequest.encode({
        message: { $case: "batch", value: { firstSeq: 1n, entries: [recordEntry(score(1)), { kind: undefined }] } },
      }).finish(),
      "INVALID_ARGUMENT",
      "UNKNOWN_TYPE",
      /entries\[1\]: neither record nor gap is set; set one/,
    ],
    [
      "with a gap of nothing",
      IngestRequest.encode({ message: { $case: "batch", value: { firstSeq: 1n, entries: [gapEntry(0)] } } }).finish(),
      "INVALID_ARGUMENT",
      "BAD_FIELD",
      /entries\[0\]\.gap\.count: must be 1 to/,
    ],
    [
      "with too many entries",
      IngestRequest.encode({
        message: { $case: "batch", value: { firstSeq: 1n, entries: new Array(4_097).fill(recordEntry(score(1))) } },
      }).finish(),
      "RESOURCE_EXHAUSTED",
      "BATCH_TOO_LARGE",
      /batch\.entries: more than 4096; send smaller/,
    ],
    [
      "above 1 MiB",
      IngestRequest.encode({
        message: { $case: "batch", value: { firstSeq: 1n, entries: new Array(5).fill(recordEntry(large(220_000))) } },
      }).finish(),
      "RESOURCE_EXHAUSTED",
      "BATCH_TOO_LARGE",
      /batch: has 1100\d+ bytes; send at most 1048576 in one/,
    ],
    [
      "above 4 MiB",
      IngestRequest.encode({
        message: { $case: "batch", value: { firstSeq: 1n, entries: new Array(20).fill(recordEntry(large(220_000))) } },
      }).finish(),
      "RESOURCE_EXHAUSTED",
      "MESSAGE_TOO_LARGE",
      /message: .*; send messages of at most 4194304 bytes/,
    ],
  ])("%s", async (_, bytes, status, code, message) => {
    const probe = await open();
    probe.batch(1, [recordEntry(score(0))]);
    await probe.untilAcked(1);
    probe.send(bytes);
    expect(await probe.untilEnded()).toMatchObject({ status, code, message: expect.stringMatching(message) });
  });

  test("whose text is not UTF-8 names the entry", async () => {
    const probe = await open();
    const good = RecordBatch.encode({
      firstSeq: 1n,
      entries: [recordEntry(score(1, 1, "ab")), recordEntry(score(1, 1, "zz"))],
    }).finish();
    const at = Buffer.from(good).indexOf("zz");
    good[at] = 0xff;
    probe.send(batchRequest(good));
    expect(await probe.untilEnded()).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "MALFORMED",
      message: expect.stringMatching(/batch\.entries\[1\]: has text that is not UTF-8/),
    });
  });

  test("what was accepted before it is acked all the same", async () => {
    const probe = await open();
    for (let seq = 1; seq <= 20; seq++) probe.batch(seq, [recordEntry(score(seq))]);
    await probe.untilAcked(20);
    probe.send(Buffer.from([0x12, 0x01, 0xff]));
    await probe.untilEnded();
    expect(probe.ackedSeq).toBe(20);
  });
});

describe("an open", () => {
  const { sessionId, streamId, writerId } = ids();
  test.each([
    ["no session", { streamId, writerId }, /open\.session_id: is empty; set it to 1 to 128 characters/],
    ["no stream", { sessionId, writerId }, /open\.stream_id: is empty; set it/],
    ["no writer", { sessionId, streamId }, /open\.writer_id: is empty; set it/],
    [
      "a long id",
      { sessionId: "x".repeat(129), streamId, writerId },
      /open\.session_id: has 129 characters; use at most 128/,
    ],
    [
      "control characters",
      { sessionId: "a\nb", streamId, writerId },
      /open\.session_id: has control characters; remove them/,
    ],
    [
      "outer blanks",
      { sessionId, streamId: "a ", writerId },
      /open\.stream_id: begins or ends with white space; trim it/,
    ],
    [
      "a negative number",
      { sessionId, streamId, writerId, ackedSeq: -1n },
      /open\.acked_seq: must be 0 to 9007199254740991/,
    ],
    ["a number too large", { sessionId, streamId, writerId, ackedSeq: 2n ** 53n }, /open\.acked_seq: must be 0 to/],
    [
      "too many labels",
      {
        sessionId,
        streamId,
        writerId,
        labels: Object.fromEntries(Array.from({ length: 33 }, (_, at) => [`k${at}`, "v"])),
      },
      /open\.labels: has 33 labels; use at most 32/,
    ],
    ["an empty label", { sessionId, streamId, writerId, labels: { "": "v" } }, /open\.labels\[\]: is empty; set it/],
    [
      "a long label",
      { sessionId, streamId, writerId, labels: { k: "v".repeat(257) } },
      /open\.labels\[k\]: has 257 characters; use at most 256/,
    ],
  ])("with %s", async (_, request, message) => {
    const probe = running().stubs.ingest();
    probe.open(request);
    expect(await probe.untilEnded()).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_FIELD",
      message: expect.stringMatching(message),
    });
  });

  test("of broken bytes, and of text that is not UTF-8", async () => {
    for (const bytes of ["0a03ffffff", "0a040a02ffff", "0a050a0361ff62"]) {
      const probe = running().stubs.ingest();
      probe.send(Buffer.from(bytes, "hex"));
      expect(await probe.untilEnded()).toMatchObject({
        status: "INVALID_ARGUMENT",
        code: "MALFORMED",
        message: expect.stringMatching(/open.*stubs of tailkeep\.v1/),
      });
    }
  });
});

describe("a unary request", () => {
  test("of broken bytes", async () => {
    const { stubs } = running();
    for (const method of ["getSession", "listRecords", "putState", "getLedger", "writeRecords"] as const) {
      expect(await stubs.endingOfBytes(method, Buffer.from([0x0a, 0x7f]))).toMatchObject({
        status: "INVALID_ARGUMENT",
        code: "MALFORMED",
        message: expect.stringMatching(/request.*stubs of tailkeep\.v1/),
      });
    }
  });

  test("whose text is not UTF-8", async () => {
    const { stubs } = running();
    expect(await stubs.endingOfBytes("getSession", Buffer.from([0x0a, 0x02, 0x61, 0xff]))).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "MALFORMED",
    });
  });
});

test("hostile names are just names", async () => {
  const { stubs } = running();
  for (const name of [
    "__proto__",
    "constructor",
    "'; DROP TABLE sessions; --",
    "../../etc/passwd",
    "$x",
    "\u202eabc",
    "😀",
  ]) {
    const probe = stubs.ingest();
    probe.open({ sessionId: name, streamId: name, writerId: name, labels: { label: name } });
    await probe.untilOpened();
    probe.batch(1, [recordEntry(score(1, 1, name))]);
    await probe.untilAcked(1);
    const { records } = await stubs.call("tailRecords", { sessionId: name });
    expect(records).toMatchObject([
      { sessionId: name, streamId: name, seq: 1n, record: { kind: { value: { gameId: name } } } },
    ]);
    expect((await stubs.call("getSession", { sessionId: name })).labels).toEqual({ label: name });
    probe.cancel();
  }
});

afterAll(async () => {
  // After all of that, for whoever behaves.
  const probe = running().stubs.ingest();
  probe.open(ids());
  await probe.untilOpened();
  probe.batch(1, [recordEntry(score(1))]);
  await probe.untilAcked(1);
  expect(running().server.logged).toEqual([]);
});
