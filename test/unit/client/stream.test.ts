import { type AddressInfo, createServer } from "node:net";
import { status } from "@grpc/grpc-js";
import {
  connect,
  DeadlineError,
  FencedError,
  type IngestStream,
  type StreamRejection,
  type TailkeepClient,
} from "@tailkeep/client";
import type { Entry } from "@tailkeep/proto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { failure, IngestServer, type StoredStream } from "./ingest-server.js";

let server: IngestServer;
let client: TailkeepClient;

beforeEach(async () => {
  server = await new IngestServer().start();
  client = connect({ server: server.address, sessionId: "session" });
});

afterEach(async () => {
  await client.close({ timeoutMs: 100 }).catch(() => undefined);
  await server.stop();
});

const score = (n: number) => ({ type: "score_history", gameId: "ls20", score: n }) as const;

function scoresOf(stream: StoredStream): unknown[] {
  return [...stream.entries.values()].map(scoreOf);
}

function scoreOf(entry: Entry): unknown {
  if (entry.kind?.$case === "gap") return `gap of ${entry.kind.value.count}`;
  const kind = entry.kind?.value.kind;
  return kind?.$case === "scoreHistory" ? kind.value.score : undefined;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

function appendAll(stream: IngestStream, count: number): void {
  for (const n of upTo(count)) expect(stream.append(score(n))).toEqual({ outcome: "queued", seq: n });
}

describe("appending", () => {
  test("everything appended is stored once, in order, in full batches", async () => {
    const stream = client.openStream();
    appendAll(stream, 1000);
    await stream.flush();
    expect(scoresOf(server.only)).toEqual(upTo(1000));
    expect(server.only.batchSizes).toEqual([256, 256, 256, 232]);
    expect(stream.ackedSeq).toBe(1000);
    expect(stream.pending).toEqual({ records: 0, bytes: 0 });
    expect(stream.counts).toEqual({
      appended: 1000,
      stored: 1000,
      rejected: 0,
      gapped: 0,
      pending: 0,
      dropped: 0,
      refused: 0,
    });
    await stream.close();
    expect(stream.state.name).toBe("closed");
    expect(server.ended).toBe(1);
    expect(stream.append(score(1)).outcome).toBe("closed");
  });

  test("a lone record leaves without waiting for the delay", async () => {
    const stream = client.openStream({ flushDelayMs: 60_000 });
    await stream.opened();
    stream.append(score(1));
    await vi.waitFor(() => expect(stream.ackedSeq).toBe(1), { timeout: 5_000 });
  });

  test("records that come while others are in flight are sent after the delay at the latest", async () => {
    server.faults.swallowAcks = true;
    const stream = client.openStream({ flushDelayMs: 5 });
    await stream.write(score(1));
    await vi.waitFor(() => expect(server.only.batchSizes).toEqual([1]));
    stream.append(score(2));
    stream.append(score(3));
    await vi.waitFor(() => expect(server.only.batchSizes).toEqual([1, 2]));
    stream.abort();
  });

  test("a full queue says so, and ready resolves when there is room again", async () => {
    server.faults.ackDelayMs = 20;
    const stream = client.openStream({ queueRecordsMax: 10, flushRecords: 4 });
    const outcomes = upTo(12).map((n) => stream.append(score(n)).outcome);
    expect(outcomes).toEqual([...Array<string>(10).fill("queued"), "full", "full"]);
    await stream.ready();
    expect(stream.pending.records).toBeLessThanOrEqual(5);
    await stream.write(upTo(100).map(score));
    await stream.flush();
    expect(scoresOf(server.only)).toEqual([...upTo(10), ...upTo(100)]);
  });

  test("what cannot be encoded takes no number and disturbs nobody", async () => {
    const stream = client.openStream();
    stream.append(score(1));
    const refused = stream.append({ type: "performance_history", metadata: { big: 1n as never } });
    expect(refused).toMatchObject({ outcome: "rejected", reason: { code: "BAD_JSON" } });
    expect(stream.append(null as never)).toMatchObject({ outcome: "rejected", reason: { code: "UNREADABLE" } });
    expect(stream.append(score(2))).toEqual({ outcome: "queued", seq: 2 });
    await expect(stream.write({ type: "nonsense" } as never)).rejects.toMatchObject({ code: "UNKNOWN_TYPE" });
    await stream.flush();
    expect(scoresOf(server.only)).toEqual([1, 2]);
    expect(stream.counts.refused).toBe(3);
  });

  test("a gap takes its numbers, between the records around it", async () => {
    const stream = client.openStream();
    stream.append(score(1));
    expect(stream.gap({ count: 5, type: "score_history", cause: "overflow" })).toEqual({ outcome: "queued", seq: 6 });
    expect(stream.append(score(7))).toEqual({ outcome: "queued", seq: 7 });
    expect(stream.gap({ count: 0 }).outcome).toBe("rejected");
    await stream.flush();
    expect(scoresOf(server.only)).toEqual([1, "gap of 5", 7]);
    expect(stream.counts).toMatchObject({ appended: 7, stored: 2, gapped: 5, pending: 0 });
  });
});

describe("connection", () => {
  test("an idle stream closes its call and the next append opens it again", async () => {
    const stream = client.openStream({ idleCloseMs: 20 });
    await stream.write(score(1));
    await stream.flush();
    await vi.waitFor(() => expect(stream.state.name).toBe("idle"));
    expect(server.ended).toBe(1);
    await stream.write(score(2));
    await stream.flush();
    expect(scoresOf(server.only)).toEqual([1, 2]);
    expect(server.only.opens).toBe(2);
  });

  test("records appended while the call is being half-closed are sent by the next", async () => {
    const stream = client.openStream({ idleCloseMs: 1 });
    for (const n of upTo(30)) {
      await stream.write(score(n));
      await stream.flush();
      await new Promise((resolve) => setTimeout(resolve, n % 4));
    }
    expect(scoresOf(server.only)).toEqual(upTo(30));
  });

  test("a restarted server gets what it missed, and nothing twice", async () => {
    const stream = client.openStream({ flushRecords: 10 });
    appendAll(stream, 50);
    await stream.flush();
    server.faults.swallowAcks = true;
    for (const n of upTo(100)) stream.append(score(50 + n));
    await vi.waitFor(() => expect(server.only.committedSeq).toBeGreaterThan(50));
    await server.stop();
    server.faults = {};
    await vi.waitFor(() => expect(stream.state.name).toBe("waiting"));
    await server.start();
    const restarted = performance.now();
    await stream.flush();
    expect(performance.now() - restarted).toBeLessThan(4_000);
    expect(scoresOf(server.only)).toEqual(upTo(150));
  });

  test("flush to an unreachable server fails in time, names what is pending, and loses nothing", async () => {
    await server.stop();
    const stream = client.openStream();
    appendAll(stream, 3);
    const error = await stream.flush({ timeoutMs: 50 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({ pendingRecords: 3, retryable: true });
    await server.start();
    await stream.flush();
    expect(scoresOf(server.only)).toEqual(upTo(3));
  });

  test("a server that accepts the connection and says nothing is given up after the open timeout", async () => {
    const silent = createServer((socket) => void socket.on("error", () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const other = connect({ server: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
    const stream = other.openStream({ openTimeoutMs: 100 });
    stream.append(score(1));
    const states: string[] = [];
    stream.onStateChange(({ name }) => states.push(name));
    await vi.waitFor(() => expect(states.slice(0, 3)).toEqual(["opening", "waiting", "opening"]), { timeout: 5_000 });
    expect(stream.pending.records).toBe(1);
    stream.abort();
    await other.close();
    silent.close();
  });

  test("a wait that the server asks for is kept", async () => {
    const openedAt: number[] = [];
    server.faults.onOpen = () => {
      openedAt.push(performance.now());
      return openedAt.length === 1
        ? failure(status.RESOURCE_EXHAUSTED, "OVERLOADED", { "tailkeep-retry-after-ms": "300" })
        : undefined;
    };
    const stream = client.openStream();
    await stream.write(score(1));
    await stream.flush();
    expect((openedAt[1] ?? 0) - (openedAt[0] ?? 0)).toBeGreaterThanOrEqual(299);
  });

  test("close times out with what is pending and cancels the call", async () => {
    server.faults.swallowAcks = true;
    const stream = client.openStream();
    appendAll(stream, 2);
    await expect(stream.close({ timeoutMs: 50 })).rejects.toMatchObject({ name: "DeadlineError", pendingRecords: 2 });
    expect(stream.state.name).toBe("closed");
    expect(stream.counts).toMatchObject({ pending: 0, dropped: 2 });
    await vi.waitFor(() => expect(server.calls.size).toBe(0));
  });

  test("an aborted signal ends a wait, not the stream", async () => {
    server.faults.ackDelayMs = 30;
    const stream = client.openStream();
    appendAll(stream, 1);
    const stop = new AbortController();
    const flushed = stream.flush({ signal: stop.signal });
    stop.abort();
    await expect(flushed).rejects.toMatchObject({ code: "ABORTED_BY_SIGNAL" });
    await stream.flush();
  });

  test("a stream whose client is closed fails to open instead of throwing", async () => {
    const other = connect({ server: server.address });
    const stream = other.openStream();
    await other.close();
    expect(stream.append(score(1)).outcome).toBe("closed");
    expect(() => other.openStream()).toThrow(/closed/);
  });
});

describe("identity", () => {
  test("another writer fences this one, which stops and says so", async () => {
    const first = client.openStream({ streamId: "s" });
    await first.write(score(1));
    await first.flush();
    const intruder = client.openStream({ streamId: "s" });
    await expect(intruder.opened()).rejects.toBeInstanceOf(FencedError);

    const second = client.openStream({ streamId: "s", takeover: true });
    await second.opened();
    expect(second.append(score(2))).toEqual({ outcome: "queued", seq: 2 });
    await second.flush();

    server.faults.onBatch = (_batch, stream) =>
      stream.epoch > 2 ? undefined : failure(status.FAILED_PRECONDITION, "FENCED");
    first.append(score(99));
    await expect(first.flush()).rejects.toBeDefined();
    expect(first.append(score(100)).outcome).toBe("closed");
    expect(first.counts).toMatchObject({ dropped: 1, pending: 0 });
    expect(first.unacked()).toHaveLength(1);
    expect(scoresOf(server.only)).toEqual([1, 2]);
  });

  test("records appended before the first open of an existing stream are numbered on", async () => {
    const before = client.openStream({ streamId: "s", writerId: "w" });
    await before.write(upTo(5).map(score));
    await before.close();
    const after = client.openStream({ streamId: "s", writerId: "w" });
    const shifts: number[] = [];
    after.onRenumbered((shift) => shifts.push(shift));
    expect(after.append(score(6))).toEqual({ outcome: "queued", seq: 1 });
    await after.flush();
    expect(shifts).toEqual([5]);
    expect(after.append(score(7))).toEqual({ outcome: "queued", seq: 7 });
    await after.flush();
    expect(scoresOf(server.only)).toEqual(upTo(7));
  });

  test("a repeated import stores nothing twice", async () => {
    for (const count of [30, 30, 50]) {
      const stream = client.openStream({ streamId: "s", writerId: "w", numbering: "resend", flushRecords: 7 });
      await stream.write(upTo(count).map(score));
      await stream.close();
    }
    expect(scoresOf(server.only)).toEqual(upTo(50));
  });

  test("a writer that knows more than a restored database goes on behind the gap", async () => {
    const stream = client.openStream({ streamId: "s", writerId: "w", ackedSeq: 40 });
    expect(stream.append(score(41))).toEqual({ outcome: "queued", seq: 41 });
    await stream.flush();
    expect(stream.counts).toMatchObject({ appended: 41, stored: 1, gapped: 40 });
  });
});

describe("a record that the server cannot decode", () => {
  const refuse = (bad: (n: unknown) => boolean) => (batch: { readonly entries: Entry[] }) =>
    batch.entries.some((entry) => bad(scoreOf(entry))) ? failure(status.INVALID_ARGUMENT, "MALFORMED") : undefined;

  test("becomes a gap in its place, and its neighbours are stored", async () => {
    server.faults.onBatch = refuse((n) => n === 3 || n === 17);
    const stream = client.openStream({ flushRecords: 5 });
    const rejections: StreamRejection[] = [];
    stream.onRejected((rejection) => rejections.push(rejection));
    appendAll(stream, 30);
    await stream.flush();
    expect(scoresOf(server.only)).toEqual(upTo(30).map((n) => (n === 3 || n === 17 ? "gap of 1" : n)));
    expect(rejections.map(({ by, seq }) => `${by} ${seq}`)).toEqual(["decoder 3", "decoder 17"]);
    expect(stream.counts).toMatchObject({ appended: 30, stored: 28, gapped: 2, pending: 0 });
    // And the stream is as fast as before again.
    server.faults = {};
    server.only.batchSizes.length = 0;
    for (const n of upTo(20)) stream.append(score(30 + n));
    await stream.flush();
    expect(server.only.batchSizes).toEqual([5, 5, 5, 5]);
  });

  test("an open that is refused ends the stream with the server's words", async () => {
    server.faults.onOpen = () => failure(status.INVALID_ARGUMENT, "BAD_FIELD");
    const stream = client.openStream();
    await expect(stream.opened()).rejects.toMatchObject({ code: "BAD_FIELD", message: "BAD_FIELD by the test" });
  });
});

describe("writing without a stream", () => {
  const identity = { streamId: "s", writerId: "w" };

  test("a repeated call stores nothing twice", async () => {
    const first = { ...identity, firstSeq: 1, records: upTo(3).map(score) };
    expect(await client.writeRecords(first)).toEqual({ committedSeq: 3, rejected: [] });
    expect(await client.writeRecords(first)).toEqual({ committedSeq: 3, rejected: [] });
    await client.writeRecords({ ...identity, firstSeq: 4, records: [score(4)] });
    expect(scoresOf(server.only)).toEqual(upTo(4));
  });

  test("never touches the stream of another writer, and leaves no hole", async () => {
    await client.writeRecords({ ...identity, firstSeq: 1, records: [score(1)] });
    const other = client.writeRecords({ ...identity, writerId: "x", firstSeq: 2, records: [score(2)] });
    await expect(other).rejects.toBeInstanceOf(FencedError);
    const hole = client.writeRecords({ ...identity, firstSeq: 3, records: [score(3)] });
    await expect(hole).rejects.toMatchObject({ code: "SEQUENCE_GAP", retryable: true });
  });

  test("what cannot be sent at all is refused before anything is", async () => {
    const write = (records: never[], firstSeq = 1) => client.writeRecords({ ...identity, firstSeq, records });
    await expect(write([])).rejects.toMatchObject({ code: "BAD_FIELD" });
    await expect(write([score(1) as never], 0)).rejects.toMatchObject({ code: "BAD_FIELD" });
    await expect(write([{ type: "x" } as never])).rejects.toMatchObject({ code: "UNKNOWN_TYPE" });
    expect(server.streams.size).toBe(0);
  });
});

test("a listener that throws does not disturb the stream", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const stream = client.openStream();
  stream.onAck(() => {
    throw new Error("from a listener");
  });
  stream.append(score(1));
  await stream.flush();
  expect(warned).toHaveBeenCalled();
  warned.mockRestore();
});
