import { SESSION_STREAMS_MAX } from "@tailkeep/server/dist/limits.js";
import { nextKey, streamKey } from "@tailkeep/server/dist/store/keys.js";
import { STORED_COLUMNS } from "@tailkeep/server/dist/store/schema.js";
import { expect, test } from "vitest";
import { scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { opened, openRequest, unique, Writer } from "./support/writer.js";

everyStore((fixture) => {
  test("a new stream begins at epoch 1, and its session exists", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store, { labels: { game: "ls20", emoji: "😀" } });
    expect(writer.opened).toMatchObject({
      epoch: 1,
      committedSeq: 0,
      counts: { stored: 0, rejected: 0, gapped: 0 },
      regressed: null,
    });
    const session = await store.reads.session("default", writer.request.sessionId);
    expect(session).toMatchObject({ state: "running", name: "", configJson: "", endedAtUs: null });
    expect(session?.labels).toEqual({ game: "ls20", emoji: "😀" });
    expect(Math.abs((session?.startedAtUs ?? 0) - Date.now() * 1_000)).toBeLessThan(60_000_000);
  });

  test("the same writer resumes where it was, with the next epoch", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 3));
    expect(await opened(store, { ...writer.request, ackedSeq: 3 })).toMatchObject({
      key: writer.key,
      epoch: 2,
      committedSeq: 3,
      counts: { stored: 3, rejected: 0, gapped: 0 },
      regressed: null,
    });
    expect(await writer.outcome(scores(4, 1))).toEqual({ kind: "superseded" });
  });

  test("another writer is refused with the owner's name, and changes nothing", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store);
    for (const mode of ["open", "attach"] as const) {
      expect(await store.openStream({ ...writer.request, writerId: "thief", mode, labels: { seen: "yes" } })).toEqual({
        kind: "fenced",
        writerId: "writer",
      });
    }
    expect((await store.reads.session("default", writer.request.sessionId))?.labels).toEqual({});
    await writer.commit(scores(1, 1));
  });

  test("a takeover shuts the old writer out for good", async () => {
    const { store } = fixture();
    const old = await Writer.open(store);
    await old.commit(scores(1, 2));
    const heir = await Writer.open(store, { ...old.request, writerId: "heir", takeover: true });
    expect(heir.opened).toMatchObject({ epoch: 2, committedSeq: 2 });
    expect(await old.outcome(scores(3, 1))).toEqual({ kind: "fenced", writerId: "heir" });
    expect(await store.openStream(old.request)).toEqual({ kind: "fenced", writerId: "heir" });
    await heir.commit(scores(3, 1));
    expect(await heir.storedSeqs()).toEqual([1, 2, 3]);
  });

  test("attaching joins the current epoch and fences nobody", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store);
    expect(await opened(store, { ...writer.request, mode: "attach" })).toMatchObject({ epoch: 1 });
    await writer.commit(scores(1, 1));
  });

  test("a writer that saw more acked than the database has gets the difference as a gap", async () => {
    const { store } = fixture();
    const writer = await Writer.open(store);
    await writer.commit(scores(1, 4));
    const again = await opened(store, { ...writer.request, ackedSeq: 10 });
    expect(again).toMatchObject({
      committedSeq: 10,
      counts: { stored: 4, rejected: 0, gapped: 6 },
      regressed: { firstSeq: 5, lastSeq: 10 },
    });
    expect(await store.reads.listGaps("default", writer.request.sessionId, undefined, 10)).toMatchObject([
      { firstSeq: 5, lastSeq: 10, type: 0, cause: 5, streamId: writer.request.streamId },
    ]);
    // Said once: the gap is stored, and the watermark is above it.
    expect(await opened(store, { ...writer.request, ackedSeq: 10 })).toMatchObject({
      regressed: null,
      committedSeq: 10,
    });
  });

  test("labels of several opens are merged", async () => {
    const { store } = fixture();
    const sessionId = unique();
    await Writer.open(store, { sessionId, labels: { a: "1", b: "1" } });
    await Writer.open(store, { sessionId, labels: { b: "2", "quote'\"\\": "ß語😀" } });
    expect((await store.reads.session("default", sessionId))?.labels).toEqual({
      a: "1",
      b: "2",
      "quote'\"\\": "ß語😀",
    });
  });

  test("opening makes an ended session run again", async () => {
    const { store } = fixture();
    const { request } = await Writer.open(store);
    await store.updateSession("default", request.sessionId, { state: "finished" });
    await opened(store, request);
    expect(await store.reads.session("default", request.sessionId)).toMatchObject({
      state: "running",
      endedAtUs: null,
    });
  });

  test("a session takes so many streams and no more; those it has can be opened", async () => {
    const { store, sql } = fixture();
    const sessionId = unique();
    const first = await Writer.open(store, { sessionId });
    const zeros = new Array(STORED_COLUMNS.length + 2).fill("0").join(",");
    const columns = `stream, namespace_id, session_id, stream_id, writer_id, epoch, committed_seq, ${STORED_COLUMNS.join(", ")}, rejected, gapped, opened_at_us`;
    const base = first.key / 2n;
    const tuples = Array.from(
      { length: SESSION_STREAMS_MAX - 1 },
      (_, index) => `(${base + BigInt(index)},'default','${sessionId}','planted-${index}','w',1,0,${zeros},0)`,
    );
    await sql(`INSERT INTO streams (${columns}) VALUES ${tuples.join(",")}`);
    expect(await store.openStream(openRequest({ sessionId, streamId: "one more" }))).toEqual({
      kind: "tooManyStreams",
    });
    await opened(store, first.request);
    await sql(`DELETE FROM streams WHERE session_id = '${sessionId}'`);
  });

  test("a key that another stream has is passed over, and the two never mix", async () => {
    const { store, sql } = fixture();
    const request = openRequest({ sessionId: unique(), streamId: unique("t") });
    const key = streamKey(request);
    const zeros = new Array(STORED_COLUMNS.length + 2).fill("0").join(",");
    const columns = `stream, namespace_id, session_id, stream_id, writer_id, epoch, committed_seq, ${STORED_COLUMNS.join(", ")}, rejected, gapped, opened_at_us`;
    const owner = { sessionId: unique(), streamId: unique("t") };
    await sql(
      `INSERT INTO streams (${columns}) VALUES (${key},'default','${owner.sessionId}','${owner.streamId}','writer',1,0,${zeros},0)`,
    );
    const loser = await Writer.open(store, request);
    expect(loser.key).toBe(nextKey(key));
    await loser.commit(scores(1, 3));
    expect(await opened(store, request)).toMatchObject({ key: nextKey(key), epoch: 2, committedSeq: 3 });
    expect(await store.reads.streamsOf("default", [request.sessionId], 10)).toMatchObject([
      { key: nextKey(key), streamId: request.streamId, committedSeq: 3 },
    ]);
    expect(await store.reads.streamsOf("default", [owner.sessionId], 10)).toMatchObject([{ key, committedSeq: 0 }]);
  });

  test("opens at the same moment are numbered one after the other", async () => {
    const { store } = fixture();
    const request = openRequest({ sessionId: unique(), streamId: unique("t") });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => opened(store, request)));
    expect(outcomes.map(({ epoch }) => epoch).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(new Set(outcomes.map(({ key }) => key)).size).toBe(1);
  });

  test("of writers that open a new stream at the same moment one gets it", async () => {
    const { store } = fixture();
    const request = openRequest({ sessionId: unique(), streamId: unique("t") });
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) => store.openStream({ ...request, writerId: `w${index}` })),
    );
    expect(outcomes.filter(({ kind }) => kind === "opened")).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === "fenced")).toHaveLength(5);
  });

  test("ids that only look alike are different", async () => {
    const { store } = fixture();
    const sessionId = unique();
    // Composed and decomposed, upper and lower case, accents, full width: equal in many collations.
    const streamIds = ["a", "A", "á", "a\u0301", "ａ", "ä", "ae", "ß", "ss", "😀", "😁"];
    const keys = await Promise.all(
      streamIds.map(async (streamId) => (await Writer.open(store, { sessionId, streamId })).key),
    );
    expect(new Set(keys).size).toBe(streamIds.length);
    const streams = await store.reads.streamsOf("default", [sessionId], 100);
    expect(new Set(streams.map(({ streamId }) => streamId))).toEqual(new Set(streamIds));
  });

  test("namespaces share nothing", async () => {
    const { store } = fixture();
    const ids = { sessionId: unique(), streamId: unique("t") };
    const [one, two] = [
      await Writer.open(store, ids),
      await Writer.open(store, { ...ids, namespace: "other", writerId: "x" }),
    ];
    expect(one.key).not.toBe(two.key);
    await one.commit(scores(1, 2));
    expect((await store.reads.statistics("other", ids.sessionId)).counts.stored).toBe(0);
    expect(await store.reads.streamsOf("other", [ids.sessionId], 10)).toMatchObject([{ committedSeq: 0 }]);
  });
});
