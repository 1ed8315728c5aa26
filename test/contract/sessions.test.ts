import { listSessions } from "@tailkeep/server/dist/history/sessions-service.js";
import { DELETE_SLICE_ROWS } from "@tailkeep/server/dist/limits.js";
import { TABLES } from "@tailkeep/server/dist/record/tables.js";
import { describe, expect, test } from "vitest";
import { batchOf, gapEntry, recordEntry, score, scores } from "../support/records/batches.js";
import { everyStore } from "./support/stores.js";
import { opened, unique, Writer } from "./support/writer.js";

everyStore((fixture) => {
  describe("changing a session", () => {
    test("changes what is named and nothing else", async () => {
      const { store } = fixture();
      const { request } = await Writer.open(store, { labels: { a: "1" } });
      const change = (what: Parameters<typeof store.updateSession>[2]) =>
        store.updateSession("default", request.sessionId, what);
      const read = () => store.reads.session("default", request.sessionId);
      const before = await read();
      expect(await change({ name: "night 'run' 😀" })).toBe(true);
      expect(await read()).toEqual({ ...before, name: "night 'run' 😀" });
      await change({ configJson: '{"lr":1e-3,"path":"C:\\\\x"}' });
      await change({ labels: { b: "2" } });
      expect(await read()).toEqual({
        ...before,
        name: "night 'run' 😀",
        configJson: '{"lr":1e-3,"path":"C:\\\\x"}',
        labels: { b: "2" },
      });
      await change({ name: "", labels: {}, configJson: "" });
      expect(await read()).toEqual({ ...before, labels: {} });
      expect(await change({})).toBe(true);
      expect(await store.updateSession("default", unique(), { name: "x" })).toBe(false);
      expect(await store.updateSession("other", request.sessionId, { name: "x" })).toBe(false);
    });

    test("the end is noted once, and taken back by running again", async () => {
      const { store } = fixture();
      const { request } = await Writer.open(store);
      const state = async (name: "finished" | "lost" | "running") => {
        await store.updateSession("default", request.sessionId, { state: name });
        return store.reads.session("default", request.sessionId);
      };
      const finished = await state("finished");
      expect(finished).toMatchObject({ state: "finished", endedAtUs: expect.any(Number) });
      expect((await state("lost"))?.endedAtUs).toBe(finished?.endedAtUs);
      expect(await state("running")).toMatchObject({ state: "running", endedAtUs: null });
    });

    test("being seen moves only forward", async () => {
      const { store, sql } = fixture();
      const { request } = await Writer.open(store);
      const seen = async () => (await store.reads.session("default", request.sessionId))?.lastSeenAtUs ?? 0;
      await sql(`UPDATE sessions SET last_seen_at_us = 5 WHERE session_id = '${request.sessionId}'`);
      await store.touchSessions([
        { namespace: "default", sessionId: request.sessionId },
        { namespace: "x", sessionId: "none" },
      ]);
      expect(await seen()).toBeGreaterThan(1_600_000_000_000_000);
      await sql(`UPDATE sessions SET last_seen_at_us = 9000000000000000 WHERE session_id = '${request.sessionId}'`);
      await store.touchSessions([{ namespace: "default", sessionId: request.sessionId }]);
      expect(await seen()).toBe(9_000_000_000_000_000);
    });
  });

  describe("listing sessions", () => {
    test("newest first, paged over equal times, filtered by state and labels", async () => {
      const { store, sql } = fixture();
      const namespace = unique("n");
      const ids: string[] = [];
      for (let index = 0; index < 23; index++) {
        const sessionId = `s-${String(index).padStart(2, "0")}`;
        await Writer.open(store, {
          namespace,
          sessionId,
          labels: { parity: index % 2 === 0 ? "even" : "odd", third: String(index % 3) },
        });
        if (index % 4 === 0) await store.updateSession(namespace, sessionId, { state: "finished" });
        ids.push(sessionId);
      }
      // Three started at each moment.
      for (const [index, id] of ids.entries()) {
        await sql(
          `UPDATE sessions SET started_at_us = ${Math.floor(index / 3)} WHERE namespace_id = '${namespace}' AND session_id = '${id}'`,
        );
      }
      const list = async (pageSize: number, state = 0, labels: Record<string, string> = {}) => {
        const found: string[] = [];
        for (let pageToken = ""; ; ) {
          const page = await listSessions(store, namespace, { pageSize, pageToken, state: state as 0, labels });
          expect(page.sessions.length).toBeLessThanOrEqual(pageSize);
          found.push(...page.sessions.map(({ sessionId }) => sessionId));
          if (page.nextPageToken === "") return found;
          pageToken = page.nextPageToken;
        }
      };
      const newestFirst = [...ids].reverse();
      const where = (holds: (index: number) => boolean) => newestFirst.filter((id) => holds(Number(id.slice(2))));
      for (const pageSize of [1, 2, 4, 22, 23, 24]) {
        expect(await list(pageSize)).toEqual(newestFirst);
        expect(await list(pageSize, 2)).toEqual(where((index) => index % 4 === 0));
        expect(await list(pageSize, 1, { parity: "even" })).toEqual(where((index) => index % 4 === 2));
        expect(await list(pageSize, 0, { parity: "odd", third: "2" })).toEqual(
          where((index) => index % 2 === 1 && index % 3 === 2),
        );
        expect(await list(pageSize, 0, { parity: "none" })).toEqual([]);
      }
    });
  });

  describe("deleting a session", () => {
    const counts = async (sessionId: string) => {
      const tables = [...TABLES.map(({ name }) => `${name}_rows`), "gaps", "dead_letters", "streams", "sessions"];
      const found: Record<string, number> = {};
      for (const table of tables) {
        const [row] = await fixture().sql(`SELECT COUNT(*) AS n FROM ${table} WHERE session_id = '${sessionId}'`);
        if (Number(row?.["n"]) > 0) found[table] = Number(row?.["n"]);
      }
      return found;
    };

    test("takes everything of it, slice by slice, and nothing of others", async () => {
      const { store } = fixture();
      const [doomed, neighbour] = [await Writer.open(store), await Writer.open(store)];
      const second = await Writer.open(store, { sessionId: doomed.request.sessionId });
      const rows = 2 * DELETE_SLICE_ROWS + 300;
      for (let seq = 1; seq <= rows; seq += 860) await doomed.commit(scores(seq, Math.min(860, rows - seq + 1)));
      await second.commit(batchOf(1, [recordEntry(score(1)), gapEntry(5), recordEntry(score(1, 2 ** 53))]));
      await neighbour.commit(batchOf(1, [recordEntry(score(1)), gapEntry(5), recordEntry(score(1, 2 ** 53))]));
      expect(await store.deleteSession("default", doomed.request.sessionId)).toBe(rows + 1);
      expect(await counts(doomed.request.sessionId)).toEqual({});
      expect(await counts(neighbour.request.sessionId)).toEqual({
        score_history_rows: 1,
        gaps: 1,
        dead_letters: 1,
        streams: 1,
        sessions: 1,
      });
      expect(await store.deleteSession("default", doomed.request.sessionId)).toBe("missing");
      expect(await doomed.outcome(scores(rows + 1, 1))).toEqual({ kind: "fenced" });
      const again = await Writer.open(store, doomed.request);
      expect(again.opened).toMatchObject({ epoch: 1, committedSeq: 0 });
      await again.commit(scores(1, 3));
      expect(await again.storedSeqs()).toEqual([1, 2, 3]);
    });

    test("of another namespace changes nothing", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      await writer.commit(scores(1, 1));
      expect(await store.deleteSession("other", writer.request.sessionId)).toBe("missing");
      expect(await writer.storedSeqs()).toEqual([1]);
    });

    test("that a server did not live to finish is hidden, and finished by maintenance", async () => {
      const { store, sql } = fixture();
      const writer = await Writer.open(store);
      const { sessionId } = writer.request;
      await writer.commit(scores(1, 30));
      await sql(`DELETE FROM streams WHERE session_id = '${sessionId}'`);
      await sql(
        `UPDATE sessions SET state = 'deleting', ended_at_us = ${Date.now() * 1_000} WHERE session_id = '${sessionId}'`,
      );
      expect(await store.openStream(writer.request)).toEqual({ kind: "deleting" });
      expect(await store.reads.session("default", sessionId)).toBeUndefined();
      expect(
        (await store.reads.listSessions("default", undefined, undefined, 1_000)).map((each) => each.sessionId),
      ).not.toContain(sessionId);
      expect(await store.updateSession("default", sessionId, { state: "running" })).toBe(false);
      // Somebody may be at it.
      await store.maintain();
      expect(await counts(sessionId)).toEqual({ score_history_rows: 30, sessions: 1 });
      await sql(`UPDATE sessions SET ended_at_us = 5 WHERE session_id = '${sessionId}'`);
      await store.maintain();
      expect(await counts(sessionId)).toEqual({});
      await opened(store, writer.request);
    });

    test("is resumed only where it is still to be finished", async () => {
      const { store, sql } = fixture();
      const writer = await Writer.open(store);
      const { sessionId } = writer.request;
      await writer.commit(scores(1, 30));
      const later = (Date.now() + 60_000) * 1_000;
      // It was on a list of abandoned ones; meanwhile another server finished it, and its trainer began it anew.
      expect(await store.deleteSession("default", sessionId, later)).toBe("missing");
      expect(await writer.commit(scores(31, 1))).toMatchObject({ counts: { stored: 31 } });
      await sql(`UPDATE sessions SET state = 'deleting', ended_at_us = ${later} WHERE session_id = '${sessionId}'`);
      expect(await store.deleteSession("default", sessionId, later), "somebody goes on with it").toBe("missing");
      expect(await store.deleteSession("default", sessionId, later + 1)).toBe(31);
      expect(await counts(sessionId)).toEqual({});
    });

    test("that is not there leaves the streams of the next one alone", async () => {
      const { store, sql } = fixture();
      const writer = await Writer.open(store);
      const { sessionId } = writer.request;
      // As a deletion finds it whose mark came between another one's end and the session's new beginning.
      await sql(`DELETE FROM sessions WHERE session_id = '${sessionId}'`);
      expect(await store.deleteSession("default", sessionId)).toBe("missing");
      expect(await counts(sessionId)).toEqual({ streams: 1 });
      await sql(`DELETE FROM streams WHERE session_id = '${sessionId}'`);
    });

    test("takes gaps and dead letters slice by slice too", async () => {
      const { store, sql } = fixture();
      const writer = await Writer.open(store);
      const { sessionId } = writer.request;
      const many = DELETE_SLICE_ROWS + 1;
      const tuples = Array.from(
        { length: many },
        (_, n) => `(${writer.key}, ${n + 1}, ${n + 1}, 'default', '${sessionId}', 0, 1, 0, '9999-12-31')`,
      );
      await sql(
        `INSERT INTO gaps (stream, first_seq, last_seq, namespace_id, session_id, type, cause, created_at_us, expires_on)
         VALUES ${tuples.join(", ")}`,
      );
      expect(await counts(sessionId)).toMatchObject({ gaps: many });
      expect(await store.deleteSession("default", sessionId)).toBe(0);
      expect(await counts(sessionId)).toEqual({});
    });

    test("twice at the same moment spares what is written afterwards", async () => {
      const { store } = fixture();
      const writer = await Writer.open(store);
      for (let seq = 1; seq <= 4_000; seq += 1_000) await writer.commit(scores(seq, 1_000));
      const first = store.deleteSession("default", writer.request.sessionId);
      const second = store.deleteSession("default", writer.request.sessionId);
      await Promise.race([first, second]);
      const again = await Writer.open(store, writer.request);
      await again.commit(scores(1, 5));
      await Promise.all([first, second]);
      expect(await again.storedSeqs()).toEqual([1, 2, 3, 4, 5]);
      expect(await again.commit(scores(6, 1))).toMatchObject({ counts: { stored: 6 } });
    });

    test("while its writers go on loses nothing that was acked after it", async () => {
      const { store, sql } = fixture();
      const sessionId = unique();
      const rows = 3 * DELETE_SLICE_ROWS;
      const first = await Writer.open(store, { sessionId });
      for (let seq = 1; seq <= rows; seq += 1_000) await first.commit(scores(seq, 1_000));
      const deletion = { over: false };
      const deleted = store.deleteSession("default", sessionId).finally(() => {
        deletion.over = true;
      });
      // Trainers that are shut out and begin anew, under new ids and under their old one.
      const trainer = async (streamId: string | undefined) => {
        for (let opens = 0; opens < 50 && !deletion.over; opens++) {
          const request = { sessionId, streamId: streamId ?? unique("t") };
          const outcome = await store.openStream({ ...first.request, ...request }).catch(() => undefined);
          if (outcome?.kind !== "opened") continue;
          const writer = await Writer.open(store, { ...first.request, ...request }).catch(() => undefined);
          if (writer === undefined) continue;
          const from = writer.opened.committedSeq + 1;
          await writer.outcome(scores(from, 5));
        }
      };
      await Promise.all([trainer(undefined), trainer(undefined), trainer(first.request.streamId)]);
      await deleted;
      // What the streams say is stored is stored.
      const streams = await store.reads.ledger("default", sessionId, "", 1_000);
      for (const { key, counts: said } of streams) {
        const [row] = await sql(`SELECT COUNT(*) AS n FROM score_history_rows WHERE stream = ${key}`);
        expect(Number(row?.["n"])).toBe(said.stored);
      }
      const [row] = await sql(`SELECT COUNT(*) AS n FROM score_history_rows WHERE session_id = '${sessionId}'`);
      expect(Number(row?.["n"])).toBe(streams.reduce((sum, { counts: said }) => sum + said.stored, 0));
      if (streams.length > 0) expect(await store.reads.session("default", sessionId)).toBeDefined();
      await opened(store, first.request);
    });
  });
});
