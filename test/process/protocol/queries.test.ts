// Questions that cannot be answered: the status, the code, and a message that names the field and the remedy.
import { beforeAll, describe, expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import type { Unary } from "../../support/grpc/stubs.js";
import { recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();
const identity = ids();
const { sessionId } = identity;

beforeAll(async () => {
  const entries = Array.from({ length: 30 }, (_, index) =>
    recordEntry(score(index, index, index % 2 === 0 ? "even" : "odd")),
  );
  await running().stubs.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries } });
});

describe("a field that is out of bounds", () => {
  test.each<[Unary, object, RegExp]>([
    ["listRecords", {}, /^session_id: and game_id are empty; set at least one/],
    ["listRecords", { sessionId, pageSize: -1 }, /^page_size: is -1; use 1 to 1000, or 0 for 100/],
    ["listRecords", { sessionId, pageSize: 1_001 }, /^page_size: is 1001; use 1 to 1000/],
    [
      "listRecords",
      { sessionId, types: [5, 0] },
      /^types\[1\]: 0 is not a record type; use 2 to 7, or leave types empty/,
    ],
    ["listRecords", { sessionId, types: [8] }, /^types\[0\]: 8 is not a record type/],
    ["listRecords", { sessionId, order: 3 }, /^order: 3 is not an order; use NEWEST_FIRST or OLDEST_FIRST/],
    ["listRecords", { sessionId, sinceUs: 2n ** 60n }, /^since_us: is out of range; send microseconds/],
    ["listRecords", { sessionId, untilUs: -(2n ** 60n) }, /^until_us: is out of range/],
    ["listRecords", { sessionId: "a\u0001" }, /^session_id: has control characters; remove them/],
    ["listRecords", { gameId: "x".repeat(129) }, /^game_id: has 129 characters; use at most 128/],
    ["listRecords", { gameId: "g", types: [5], key: "current" }, /^key: needs session_id; set it/],
    ["listRecords", { sessionId, key: "x" }, /^key: needs exactly one type and there are 6; name one in types/],
    ["listRecords", { sessionId, types: [5, 7], key: "x" }, /^key: needs exactly one type and there are 2/],
    ["listRecords", { sessionId, types: [6], key: "1;2" }, /^key: is no coordinate; write it as "x,y", two 32-bit/],
    ["listRecords", { sessionId, types: [6], key: "1,2147483648" }, /^key: is no coordinate/],
    ["listRecords", { sessionId, types: [7], key: "x".repeat(129) }, /^key: has 129 characters; use at most 128/],
    ["listRecords", { sessionId, types: [2], key: " g" }, /^key: begins or ends with white space/],
    ["tailRecords", {}, /^session_id: is empty; set it/],
    ["tailRecords", { sessionId, limit: 1_001 }, /^limit: is 1001; use 1 to 1000/],
    ["tailRecords", { sessionId, limit: -1 }, /^limit: is -1; use 1 to 1000/],
    ["tailRecords", { sessionId, types: [1] }, /^types\[0\]: 1 is not a record type/],
    ["listSessions", { pageSize: 1_001 }, /^page_size: is 1001; use 1 to 1000, or 0 for 50/],
    ["listSessions", { state: 9 }, /^state: 9 is not a state; use RUNNING, FINISHED or LOST/],
    ["listSessions", { labels: { "": "x" } }, /^labels\[\]: is empty/],
    ["getSession", {}, /^session_id: is empty/],
    ["updateSession", { sessionId, name: "x".repeat(257) }, /^name: has 257 characters; use at most 256/],
    ["updateSession", { sessionId, state: 0 }, /^state: 0 is not a state/],
    ["updateSession", { sessionId, configJson: "{" }, /^config_json: is not JSON/],
    [
      "updateSession",
      { sessionId, configJson: `"${"x".repeat(262_143)}"` },
      /^config_json: has 262145 bytes; use at most 262144/,
    ],
    ["updateSession", { sessionId, labels: { labels: { k: "a\tb" } } }, /^labels\[k\]: has control characters/],
    ["deleteSession", {}, /^session_id: is empty/],
    ["getStatistics", { sessionId: " x" }, /^session_id: begins or ends with white space/],
    ["listGaps", { pageSize: 1_001 }, /^page_size: is 1001/],
    ["listDeadLetters", { pageSize: -2 }, /^page_size: is -2/],
    ["getLedger", {}, /^session_id: is empty/],
    ["putState", { valueJson: "1" }, /^name: is empty; set it to 1 to 256 characters/],
    ["putState", { name: "x" }, /^value_json: is not JSON/],
    [
      "putState",
      { name: "x", valueJson: `"${"x".repeat(1_048_575)}"` },
      /^value_json: has 1048577 bytes; use at most 1048576/,
    ],
    ["putState", { name: "x", valueJson: "1", expectedVersion: -1n }, /^expected_version: must be 0 or a version/],
    ["getState", { name: "a\nb" }, /^name: has control characters/],
    ["listStates", { prefix: "\u0000" }, /^prefix: has control characters/],
    ["listStates", { pageSize: 1_001 }, /^page_size: is 1001/],
  ])("%s %o", async (method, request, message) => {
    expect(await running().stubs.ending(method, request)).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_FIELD",
      message: expect.stringMatching(message),
    });
  });
});

describe("a page token", () => {
  const lists: [Unary, object, object][] = [
    ["listRecords", { sessionId, pageSize: 7 }, { sessionId, pageSize: 7, types: [5] }],
    ["listRecords", { gameId: "even", pageSize: 7 }, { gameId: "odd", pageSize: 7 }],
    ["listRecords", { sessionId, pageSize: 7, order: 2 }, { sessionId, pageSize: 7, order: 1 }],
  ];

  test.each(lists)("of %s %o is of that question only", async (method, request, other) => {
    const { stubs } = running();
    const { nextPageToken } = (await stubs.call(method, request)) as { nextPageToken: string };
    expect(nextPageToken).not.toBe("");
    await stubs.call(method, { ...request, pageToken: nextPageToken });
    expect(await stubs.ending(method, { ...other, pageToken: nextPageToken })).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_PAGE_TOKEN",
      message: expect.stringMatching(/^page_token: is not from this listing; use next_page_token .* or leave it empty/),
    });
  });

  test.each(["x", "!!!", "bnVsbA", "W10", Buffer.from('["x",1,"2",3]').toString("base64url"), "A".repeat(10_000)])(
    "that is %.20s is refused",
    async (pageToken) => {
      const { stubs } = running();
      for (const [method, request] of [
        ["listRecords", { sessionId }],
        ["listSessions", {}],
        ["listGaps", {}],
        ["listDeadLetters", {}],
        ["getLedger", { sessionId }],
        ["listStates", {}],
      ] as [Unary, object][]) {
        expect(await stubs.ending(method, { ...request, pageToken })).toMatchObject({
          status: "INVALID_ARGUMENT",
          code: "BAD_PAGE_TOKEN",
        });
      }
    },
  );

  test.each(["99999999999999999999", "9999999999999999999", "-1", "1e3", "abc", ""])(
    "with a stream of %s is refused",
    async (stream) => {
      const { stubs } = running();
      const forged = async (method: Unary, request: object, position: (good: unknown[]) => unknown[]) => {
        const { nextPageToken } = (await stubs.call(method, request)) as { nextPageToken: string };
        const good = JSON.parse(Buffer.from(nextPageToken, "base64url").toString()) as unknown[];
        const pageToken = Buffer.from(JSON.stringify(position(good))).toString("base64url");
        return stubs.ending(method, { ...request, pageToken });
      };
      expect(
        await forged("listRecords", { sessionId, pageSize: 7 }, ([print, time, , seq]) => [print, time, stream, seq]),
      ).toMatchObject({
        status: "INVALID_ARGUMENT",
        code: "BAD_PAGE_TOKEN",
      });
    },
  );
});

describe("what is not there", () => {
  test.each<[Unary, object, RegExp]>([
    ["getSession", { sessionId: "none" }, /^session_id: there is no session none; ListSessions has all of them/],
    ["updateSession", { sessionId: "none", name: "x" }, /^session_id: there is no session none/],
    ["deleteSession", { sessionId: "none" }, /^session_id: there is no session none/],
    ["getState", { name: "none" }, /^name: there is no document none; ListStates has all of them/],
    ["deleteState", { name: "none" }, /^name: there is no document none/],
  ])("%s %o", async (method, request, message) => {
    expect(await running().stubs.ending(method, request)).toMatchObject({
      status: "NOT_FOUND",
      code: "NOT_FOUND",
      message: expect.stringMatching(message),
    });
  });

  test("in a session that is not there is nothing", async () => {
    const { stubs } = running();
    expect(await stubs.call("listRecords", { sessionId: "none" })).toEqual({ records: [], nextPageToken: "" });
    expect(await stubs.call("tailRecords", { sessionId: "none" })).toEqual({ records: [] });
    expect(await stubs.call("getLedger", { sessionId: "none" })).toEqual({ streams: [], nextPageToken: "" });
  });
});

test("a version that is not there is said", async () => {
  const { stubs } = running();
  expect(await stubs.ending("putState", { name: "counted", valueJson: "1", expectedVersion: 4n })).toMatchObject({
    status: "ABORTED",
    code: "VERSION_MISMATCH",
    message: "expected_version: counted does not exist; read it again, and decide anew",
  });
  await stubs.call("putState", { name: "counted", valueJson: "1" });
  expect(await stubs.ending("putState", { name: "counted", valueJson: "2", expectedVersion: 0n })).toMatchObject({
    code: "VERSION_MISMATCH",
    message: "expected_version: counted has version 1; read it again, and decide anew",
  });
});

describe("documents are paged", () => {
  test.each([false, true])("to the last one, with values %s", async (includeValues) => {
    const { stubs } = running();
    for (let index = 0; index < 7; index++) {
      await stubs.call("putState", { name: `page-${index}`, valueJson: JSON.stringify("x".repeat(700_000)) });
    }
    const names: string[] = [];
    let pages = 0;
    for (let pageToken = ""; ; ) {
      const page = await stubs.call("listStates", { prefix: "page-", pageSize: 4, pageToken, includeValues });
      pages++;
      names.push(...page.documents.map(({ name }) => name));
      expect(page.documents.every(({ valueJson }) => valueJson.length > 0 === includeValues)).toBe(true);
      if (page.nextPageToken === "") break;
      pageToken = page.nextPageToken;
    }
    expect(names).toEqual(Array.from({ length: 7 }, (_, index) => `page-${index}`));
    expect(pages).toBeLessThanOrEqual(includeValues ? 5 : 2);
  });
});
