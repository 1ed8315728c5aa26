// Error messages quote what was sent, and may cut it anywhere. A status message goes through encodeURI in grpc-js, which
// throws on half a surrogate pair: outside of any handler, so that one request ended the server.
import { ERROR_MESSAGE_CHARS_MAX } from "@tailkeep/server/dist/limits.js";
import { printable } from "@tailkeep/server/dist/record/text.js";
import { afterAll, describe, expect, test } from "vitest";
import { ids, oneServer } from "../support/grpc/one-server.js";

const running = oneServer();

describe("what an error quotes", () => {
  test("may be cut in the middle of a character", async () => {
    const probe = running().stubs.ingest();
    probe.open({ ...ids(), labels: { [`${"k".repeat(63)}😀😀`]: "v" } });
    expect(await probe.untilEnded()).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_FIELD",
      message: expect.stringMatching(/^open\.labels\[k{63}\ufffd\]: has 65 characters/),
    });
  });

  test("may be half of a character in the words of the JSON parser", async () => {
    const { stubs } = running();
    for (const valueJson of ["😀", '{"a": 😀', `[${"1,".repeat(200)}😀`]) {
      expect(await stubs.ending("putState", { name: "x", valueJson })).toMatchObject({
        status: "INVALID_ARGUMENT",
        code: "BAD_FIELD",
        message: expect.stringMatching(/^value_json: is not JSON/),
      });
    }
  });

  test("may be endless", async () => {
    const { stubs } = running();
    const watch = stubs.watch({ sessionId: "s", cursor: { seqs: { ["語".repeat(100_000)]: -1n } } });
    const ending = await watch.untilEnded();
    expect(ending).toMatchObject({ status: "INVALID_ARGUMENT", code: "BAD_FIELD" });
    expect(ending.message.length).toBe(ERROR_MESSAGE_CHARS_MAX);
    expect(ending.message.startsWith("cursor.seqs[語語")).toBe(true);
  });

  test("may be orders for a terminal", async () => {
    const probe = running().stubs.ingest();
    probe.open({ ...ids(), labels: { '\u001b[2J\r\n{"level":60}\u202e': "v" } });
    const { message } = await probe.untilEnded();
    expect(message).toContain('open.labels[\\u001b[2J\\u000d\\u000a{"level":60}\\u202e]');
  });
});

test("printable text is well-formed, bounded and obeyed by nothing", () => {
  expect(printable("a\ud83d", 10)).toBe("a\ufffd");
  expect(printable("😀".repeat(4), 4)).toBe("😀\ufffd…");
  expect(printable("\u2028\u2066x\u0085", 40)).toBe("\\u2028\\u2066x\\u0085");
});

afterAll(async () => {
  expect(running().server.logged).toEqual([]);
  expect(await running().stubs.call("getStatistics", {})).toBeDefined();
});
