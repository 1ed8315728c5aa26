import { Metadata, type ServerWritableStream, status } from "@grpc/grpc-js";
import {
  connect,
  InvalidArgumentError,
  NotFoundError,
  type TailkeepClient,
  UnavailableError,
  VersionMismatchError,
  type WatchEvent,
} from "@tailkeep/client";
import * as wire from "@tailkeep/proto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { failure, IngestServer } from "./ingest-server.js";

type WatchCall = ServerWritableStream<wire.WatchRecordsRequest, wire.WatchRecordsResponse>;
// biome-ignore lint/suspicious/noExplicitAny: handlers of many methods, each with its own types
type Handler = (request: any) => unknown;

let server: IngestServer;
let services: Parameters<IngestServer["start"]>[0];
let client: TailkeepClient;
let answers: Record<string, Handler>;
let requests: { method: string; request: Record<string, unknown> }[];
let watches: WatchCall[];
let onWatch: (call: WatchCall) => void;

/** Answers each unary method by `answers`; a thrown object becomes the call's error. */
function answering(service: Record<string, { responseStream: boolean }>) {
  const handlers: Record<string, unknown> = {};
  for (const [method, { responseStream }] of Object.entries(service)) {
    if (responseStream) continue;
    // biome-ignore lint/suspicious/noExplicitAny: as above
    handlers[method] = (call: any, callback: (error: unknown, answer?: unknown) => void) => {
      requests.push({ method, request: call.request });
      try {
        const answer = answers[method]?.(call.request);
        if (answer !== undefined) callback(null, answer);
      } catch (error) {
        callback(error);
      }
    };
  }
  return handlers as never;
}

beforeEach(async () => {
  answers = {};
  requests = [];
  watches = [];
  onWatch = () => undefined;
  const history = {
    ...(answering(wire.HistoryServiceService) as object),
    watchRecords: (call: WatchCall) => {
      call.on("error", () => undefined);
      watches.push(call);
      onWatch(call);
    },
  };
  services = [
    [wire.HistoryServiceService, history as never],
    [wire.StateServiceService, answering(wire.StateServiceService)],
    [wire.AdminServiceService, answering(wire.AdminServiceService)],
  ];
  server = await new IngestServer().start(services);
  client = connect({ server: server.address });
});

afterEach(async () => {
  await client.close();
  await server.stop();
});

function stored(seq: number, streamId = "a"): wire.StoredRecord {
  const value = { gameId: "ls20", score: seq, scoreType: undefined };
  return {
    sessionId: "s",
    streamId,
    seq: BigInt(seq),
    record: { eventTimeUs: BigInt(seq * 10), kind: { $case: "scoreHistory", value } },
  };
}

describe("listing", () => {
  test("follows the pages, and stops where it is left or limited", async () => {
    answers["listRecords"] = ({ pageToken }) => {
      const page = Number(pageToken || 0);
      return {
        records: [stored(2 * page + 1), stored(2 * page + 2)],
        nextPageToken: page === 2 ? "" : String(page + 1),
      };
    };
    const seqs = async (limit?: number) => {
      const all: number[] = [];
      for await (const record of client.history.listRecords({ sessionId: "s", limit })) all.push(record.seq);
      return all;
    };
    expect(await seqs()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(requests).toHaveLength(3);
    expect(await seqs(3)).toEqual([1, 2, 3]);
    expect(requests).toHaveLength(5);
    for await (const page of client.history.listRecords({ sessionId: "s" }).pages()) {
      expect(page.items).toHaveLength(2);
      break;
    }
    expect(requests).toHaveLength(6);
  });

  test("asks what it was asked, and shows records as they were written", async () => {
    const value = {
      gameId: "g",
      score: Number.NaN,
      winRate: undefined,
      learningEfficiency: 0.5,
      metadataJson: '{"a":["NaN",null]}',
    };
    answers["listRecords"] = () => ({
      records: [{ ...stored(7), record: { eventTimeUs: -5n, kind: { $case: "performanceHistory", value } } }],
      nextPageToken: "",
    });
    const question = { sessionId: "s", types: ["frame_tracking"], sinceUs: -1, untilUs: 5.5, order: "oldest" } as const;
    const { items } = await client.history.listRecords(question).firstPage();
    expect(requests[0]?.request).toMatchObject({
      types: [wire.RecordType.FRAME_TRACKING],
      sinceUs: -1n,
      untilUs: 5n,
      order: wire.SortOrder.OLDEST_FIRST,
    });
    expect(items).toEqual([
      {
        type: "performance_history",
        sessionId: "s",
        streamId: "a",
        seq: 7,
        eventTimeUs: -5,
        gameId: "g",
        score: Number.NaN,
        learningEfficiency: 0.5,
        metadata: { a: ["NaN", null] },
      },
    ]);
  });

  test("a number that is not exact is an error, not a wrong number", async () => {
    answers["tailRecords"] = () => ({ records: [{ ...stored(1), seq: 2n ** 60n }] });
    await expect(client.history.tailRecords({ sessionId: "s" })).rejects.toMatchObject({ code: "NUMBER_TOO_LARGE" });
  });
});

describe("calls", () => {
  test("a read is repeated while the server is unavailable, a change is not", async () => {
    let left = 2;
    const unavailable = () => {
      if (left-- > 0) throw { code: status.UNAVAILABLE, details: "not now", metadata: new Metadata() };
      return { stored: [], counts: undefined, sessionCount: 1n, streamCount: 2n };
    };
    answers["getStatistics"] = unavailable;
    expect(await client.history.getStatistics()).toMatchObject({ sessionCount: 1, streamCount: 2 });
    expect(requests).toHaveLength(3);
    left = 1;
    answers["putState"] = unavailable;
    await expect(client.state.put("x", 1)).rejects.toBeInstanceOf(UnavailableError);
    expect(requests).toHaveLength(4);
  });

  test("a deadline and a signal end a call that is not answered", async () => {
    await expect(client.history.getSession("s", { timeoutMs: 50 })).rejects.toMatchObject({
      name: "DeadlineError",
      grpcStatus: status.DEADLINE_EXCEEDED,
    });
    const stop = new AbortController();
    const call = client.history.getSession("s", { signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: "ABORTED_BY_SIGNAL" });
    await expect(client.history.getSession("s", { signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED_BY_SIGNAL",
    });
  });

  test("errors are classes by status and code", async () => {
    answers["getSession"] = () => {
      throw failure(status.NOT_FOUND, "SESSION_NOT_FOUND");
    };
    await expect(client.history.getSession("s")).rejects.toBeInstanceOf(NotFoundError);
    answers["putState"] = () => {
      throw failure(status.ABORTED, "VERSION_MISMATCH");
    };
    const mismatch = client.state.put("x", 1, { expectedVersion: 0 });
    await expect(mismatch).rejects.toBeInstanceOf(VersionMismatchError);
    await expect(mismatch).rejects.toMatchObject({ retryable: false, code: "VERSION_MISMATCH" });
    expect(requests.at(-1)?.request).toMatchObject({ expectedVersion: 0n });
    answers["getState"] = answers["deleteState"] = answers["getSession"];
    expect(await client.state.get("x")).toBeUndefined();
    expect(await client.state.delete("x")).toBe(false);
    expect(() => client.openStream({ streamId: " x" })).toThrow(InvalidArgumentError);
  });
});

describe("watching", () => {
  const record = (call: WatchCall, seq: number, stream = "a") =>
    call.write({ event: { $case: "record", value: stored(seq, stream) } });
  const caughtUp = (call: WatchCall, seqs: Record<string, bigint>) =>
    call.write({ event: { $case: "caughtUp", value: { seqs } } });
  const label = (event: WatchEvent) =>
    event.event === "record" ? `${event.record.streamId}${event.record.seq}` : event.event;

  test("goes on after a lost connection, without a gap or a repeat", async () => {
    onWatch = (call) => {
      if (watches.length === 1) {
        record(call, 3);
        caughtUp(call, { a: 4n, b: 1n });
        record(call, 5);
        call.emit("error", failure(status.UNAVAILABLE, "SHUTTING_DOWN"));
      } else {
        record(call, 5);
        record(call, 6);
        call.write({ event: { $case: "missed", value: { streamId: "b", firstSeq: 2n, lastSeq: 9n } } });
      }
    };
    const seen: string[] = [];
    const lost: string[] = [];
    const watch = client.history.watchRecords(
      { sessionId: "s", snapshotLimit: 10 },
      { onReconnect: (error) => lost.push(error.code) },
    );
    for await (const event of watch) {
      seen.push(label(event));
      if (event.event === "missed") break;
    }
    expect(seen).toEqual(["a3", "caughtUp", "a5", "a6", "missed"]);
    expect(lost).toEqual(["SHUTTING_DOWN"]);
    expect(watches.map(({ request }) => request.cursor?.seqs)).toEqual([undefined, { a: 5n, b: 1n }]);
    expect(watch.cursor).toEqual({ a: 6, b: 9 });
    await vi.waitFor(() => expect(watches[1]?.cancelled).toBe(true));
  });

  test("goes on as soon as the server is back, however long it was away", async () => {
    onWatch = (call) => caughtUp(call, { a: BigInt(watches.length) });
    let lost = 0;
    const watch = client.history.watchRecords({ sessionId: "s" }, { onReconnect: () => void lost++ });
    await watch.next();
    await server.stop();
    const next = watch.next();
    // By now the wait may be as long as 3.2 s.
    await vi.waitFor(() => expect(lost).toBeGreaterThanOrEqual(6), { timeout: 15_000 });
    await server.start(services);
    const returnedMs = performance.now();
    await next;
    // The channel itself looks every second.
    expect(performance.now() - returnedMs).toBeLessThan(1_800);
    await watch.return();
  });

  test("a snapshot that is cut off is begun again, and shown once", async () => {
    onWatch = (call) => {
      record(call, 3);
      if (watches.length === 1) call.emit("error", failure(status.UNAVAILABLE, "SHUTTING_DOWN"));
      else {
        record(call, 4);
        caughtUp(call, { a: 4n });
      }
    };
    const seen: string[] = [];
    for await (const event of client.history.watchRecords({ sessionId: "s", snapshotLimit: 10 })) {
      seen.push(label(event));
      if (event.event === "caughtUp") break;
    }
    expect(seen).toEqual(["a3", "a4", "caughtUp"]);
    expect(watches[1]?.request).toMatchObject({ snapshotLimit: 10, cursor: undefined });
  });

  test("a session that was empty is asked for whole after a reconnect, so that nothing is missed", async () => {
    onWatch = (call) => {
      if (watches.length === 1) {
        caughtUp(call, {});
        call.emit("error", failure(status.UNAVAILABLE, "SHUTTING_DOWN"));
      } else record(call, 1);
    };
    const seen: string[] = [];
    for await (const event of client.history.watchRecords({ sessionId: "s" })) {
      seen.push(label(event));
      if (event.event === "record") break;
    }
    expect(seen).toEqual(["caughtUp", "a1"]);
    expect(watches[1]?.request).toMatchObject({ snapshotLimit: 0, cursor: { seqs: {} } });
  });

  test("of more streams than a cursor holds it names those that went on last, and shows the others once", async () => {
    const all = Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`t${at}`, 7n]));
    onWatch = (call) => {
      if (watches.length === 1) {
        caughtUp(call, { a: 1n, ...all });
        record(call, 2);
        call.emit("error", failure(status.UNAVAILABLE, "SHUTTING_DOWN"));
      } else {
        call.write({ event: { $case: "missed", value: { streamId: "t0", firstSeq: 1n, lastSeq: 7n } } });
        record(call, 3);
      }
    };
    const seen: string[] = [];
    for await (const event of client.history.watchRecords({ sessionId: "s" })) {
      seen.push(label(event));
      if (label(event) === "a3") break;
    }
    expect(seen).toEqual(["caughtUp", "a2", "a3"]);
    const named = watches[1]?.request.cursor?.seqs ?? {};
    expect(Object.keys(named)).toHaveLength(1_024);
    expect(named).toMatchObject({ a: 2n, t1499: 7n });
  });

  test("the signal ends it quietly, also while it waits, and cancels the call", async () => {
    const stop = new AbortController();
    const watch = client.history.watchRecords({ sessionId: "s" }, { signal: stop.signal });
    const waiting = watch.next();
    await vi.waitFor(() => expect(watches).toHaveLength(1));
    stop.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await vi.waitFor(() => expect(watches[0]?.cancelled).toBe(true));
  });

  test("ends with an error that trying again cannot help", async () => {
    onWatch = (call) => call.emit("error", failure(status.INVALID_ARGUMENT, "BAD_FIELD"));
    await expect(client.history.watchRecords({ sessionId: "" }).next()).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(watches).toHaveLength(1);
  });

  test("a slow consumer holds the server back and loses nothing", async () => {
    // More than both sides' flow control windows hold.
    const total = 20_000;
    const scoreType = "x".repeat(1_000);
    let sent = 0;
    onWatch = (call) => {
      caughtUp(call, { a: 0n });
      const send = (): void => {
        while (sent < total) {
          const record = stored(++sent);
          Object.assign(record.record?.kind?.value ?? {}, { scoreType });
          if (!call.write({ event: { $case: "record", value: record } })) return;
        }
      };
      call.on("drain", send);
      send();
    };
    const watch = client.history.watchRecords({ sessionId: "s" });
    await watch.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const heldBack = sent;
    let next = 1;
    for await (const event of watch) {
      expect(label(event)).toBe(`a${next}`);
      if (next++ === total) break;
    }
    expect(heldBack).toBeLessThan(total / 2);
    expect(sent).toBe(total);
  });
});

test("administration shows gaps, dead letters and the ledger", async () => {
  const counts = { stored: 8n, rejected: 1n, gapped: 1n };
  answers["listGaps"] = () => ({
    gaps: [
      {
        sessionId: "s",
        streamId: "a",
        firstSeq: 3n,
        lastSeq: 3n,
        type: 0,
        cause: wire.GapCause.OVERFLOW,
        createdAtUs: 9n,
      },
    ],
    nextPageToken: "",
  });
  answers["listDeadLetters"] = () => ({
    deadLetters: [
      {
        sessionId: "s",
        streamId: "a",
        rejection: { seq: 4n, reason: wire.RejectionReason.BAD_JSON, field: "f", message: "m" },
        type: wire.RecordType.ACTION_TRACKING,
        record: undefined,
        createdAtUs: 9n,
      },
    ],
    nextPageToken: "",
  });
  answers["getLedger"] = () => ({
    streams: [{ streamId: "a", writerId: "w", epoch: 2n, committedSeq: 10n, counts }],
    nextPageToken: "",
  });
  const [gaps, letters, ledger] = await Promise.all([
    client.admin.listGaps().firstPage(),
    client.admin.listDeadLetters({ sessionId: "s" }).firstPage(),
    client.admin.getLedger({ sessionId: "s" }).firstPage(),
  ]);
  expect(gaps.items).toMatchObject([{ firstSeq: 3, lastSeq: 3, type: undefined, cause: "overflow" }]);
  expect(letters.items).toMatchObject([{ rejection: { seq: 4, reason: "bad_json" }, type: "action_tracking" }]);
  expect(ledger.items).toMatchObject([{ epoch: 2, committedSeq: 10, counts: { stored: 8, rejected: 1, gapped: 1 } }]);
});
