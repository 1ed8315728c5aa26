import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IngestStream } from "../../../client/src/ingest/ingest-stream.js";
import { resolveStreamOptions } from "../../../client/src/ingest/stream-options.js";
import {
  BACKOFF_CEILING_MS_FIRST,
  BACKOFF_CEILING_MS_LAST,
  RECONNECTED_SPREAD_MS,
  SUPERSEDED_MAX,
} from "../../../client/src/limits.js";
import { meaningOf } from "../../../client/src/protocol/call-end.js";
import { Backoff } from "../../../client/src/transport/backoff.js";
import type { IngestCallHandlers } from "../../../client/src/transport/ingest-transport.js";
import { type NetworkFaults, SimulatedServer, scoreOf, VirtualClock } from "./simulation.js";

interface Plan extends NetworkFaults {
  readonly seed: number;
  readonly records: number;
  readonly flushRecords: number;
  readonly idleCloseMs: number;
}

/** Appends, lets the network do its worst, heals it, and returns what came of it. */
function run(plan: Plan) {
  const clock = new VirtualClock(plan.seed);
  const server = new SimulatedServer(clock, plan);
  const { flushRecords, idleCloseMs } = plan;
  const options = resolveStreamOptions({ flushRecords, idleCloseMs, openTimeoutMs: 1_000 }, "session");
  const stream = new IngestStream(options, server, clock);
  const problems: string[] = [];
  let ackedBefore = 0;
  stream.onAck((acked) => {
    if (acked <= ackedBefore) problems.push(`ack went from ${ackedBefore} to ${acked}`);
    if (acked > server.committedSeq) problems.push(`acked ${acked} of ${server.committedSeq} committed`);
    if (acked > stream.appendedSeq) problems.push(`acked ${acked} of ${stream.appendedSeq} appended`);
    ackedBefore = acked;
  });
  const lost: number[] = [];
  stream.onRejected(({ seq }) => lost.push(seq));

  for (let n = 1; n <= plan.records; n++) {
    stream.append({ type: "score_history", score: n });
    while (clock.random() < 0.5) clock.step(clock.nowMs() + 3_000);
  }
  for (let i = 0; i < 2_000 && clock.step(); i++);
  server.heal();
  stream.close({ timeoutMs: 10 * 60_000 }).catch((error: unknown) => problems.push(String(error)));
  for (let i = 0; i < 100_000 && clock.step(); i++);
  return { server, stream, problems, lost };
}

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer(),
  records: fc.integer({ min: 1, max: 80 }),
  flushRecords: fc.integer({ min: 1, max: 9 }),
  idleCloseMs: fc.constantFrom(1, 20, 60_000),
  breakChance: fc.constantFrom(0, 0.02, 0.2),
  refuseChance: fc.constantFrom(0, 0.3),
  malformed: fc.uniqueArray(fc.integer({ min: 1, max: 80 }), { maxLength: 4 }).map((scores) => new Set(scores)),
  creditBytes: fc.constantFrom(0, 100, 1_000_000),
});

describe("a stream over a network that breaks", () => {
  test("stores everything once, in order, and ends with an even ledger", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const { server, stream, problems, lost } = run(plan);
        expect(problems).toEqual([]);
        expect(stream.state.name).toBe("closed");
        const expected = Array.from({ length: plan.records }, (_, i) =>
          plan.malformed.has(i + 1) ? undefined : i + 1,
        );
        expect([...server.entries.keys()]).toEqual(expected.map((_, i) => i + 1));
        expect([...server.entries.values()].map(scoreOf)).toEqual(expected);
        expect(server.duplicates).toBe(0);
        expect(server.bytesOverCredit).toBeLessThanOrEqual(0);
        expect(lost).toEqual([...plan.malformed].filter((n) => n <= plan.records).sort((a, b) => a - b));
        expect(stream.counts).toEqual({
          appended: plan.records,
          stored: plan.records - lost.length,
          rejected: 0,
          gapped: lost.length,
          pending: 0,
          dropped: 0,
          refused: 0,
        });
      }),
      { numRuns: 400 },
    );
  });

  test("this check notices a server that acks before it commits", () => {
    const bad = { records: 60, flushRecords: 2, idleCloseMs: 60_000, refuseChance: 0, malformed: new Set<number>() };
    const caught = Array.from({ length: 20 }, (_, seed) => seed).filter((seed) => {
      try {
        const { server, stream, problems } = run({
          ...bad,
          seed,
          breakChance: 0.1,
          creditBytes: 1_000_000,
          ackBeforeCommit: true,
        });
        return problems.length > 0 || server.committedSeq < 60 || stream.state.name === "failed";
      } catch {
        return true;
      }
    });
    expect(caught.length).toBeGreaterThan(10);
  });
});

/** A transport whose calls do nothing but what the test says. */
function scripted() {
  const clock = new VirtualClock(1);
  const calls: { handlers: IngestCallHandlers; takeover: boolean; sent: number[]; log: string[] }[] = [];
  const listeners = new Set<() => void>();
  const transport = {
    onConnected(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    open(request: { readonly takeover: boolean }, handlers: IngestCallHandlers) {
      const call = { handlers, takeover: request.takeover, sent: [] as number[], log: [] as string[] };
      calls.push(call);
      return {
        send: (batch: { readonly firstSeq: number }) => {
          call.sent.push(batch.firstSeq);
          return true;
        },
        halfClose: () => void call.log.push("halfClose"),
        cancel: () => void call.log.push("cancel"),
      };
    },
  };
  const make = (options = {}) =>
    new IngestStream(resolveStreamOptions({ flushRecords: 1, ...options }, "session"), transport, clock);
  const settle = (ms: number) => {
    const until = clock.nowMs() + ms;
    clock.advanceTo(until);
  };
  const connected = () => {
    for (const listener of listeners) listener();
  };
  return { calls, listeners, make, settle, connected };
}

const info = (committedSeq: number, creditBytes = 1_000_000) => ({
  epoch: 1,
  committedSeq,
  counts: { stored: committedSeq, rejected: 0, gapped: 0 },
  creditBytes,
  durable: true,
  serverVersion: "scripted",
});
const score = { type: "score_history", score: 1 } as const;
const at = <T>(list: readonly T[], index: number): T => {
  const item = list[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
};

describe("the protocol", () => {
  test("what an older call says is ignored", () => {
    const { calls, make, settle } = scripted();
    const stream = make();
    stream.append(score);
    at(calls, 0).handlers.onOpened(info(0));
    at(calls, 0).handlers.onEnd({ status: 14, message: "lost" });
    settle(1_000);
    expect(calls).toHaveLength(2);
    at(calls, 0).handlers.onAck(1, []);
    at(calls, 0).handlers.onEnd({ status: 9, message: "late", code: "FENCED" });
    expect(stream.ackedSeq).toBe(0);
    expect(stream.state.name).toBe("opening");
    at(calls, 1).handlers.onOpened(info(1));
    expect(stream.ackedSeq).toBe(1);
    expect(at(calls, 1).sent).toEqual([]);
  });

  test("an ack of what was never sent ends the stream, not the process", () => {
    const { calls, make } = scripted();
    const stream = make();
    stream.append(score);
    at(calls, 0).handlers.onOpened(info(0));
    at(calls, 0).handlers.onAck(2, []);
    expect(stream.state).toMatchObject({ name: "failed", error: { code: "INVARIANT_BROKEN" } });
    expect(at(calls, 0).log).toEqual(["cancel"]);
    expect(stream.append(score).outcome).toBe("closed");
  });

  test("an ack that goes back is ignored", () => {
    const { calls, make } = scripted();
    const stream = make();
    for (let i = 0; i < 3; i++) stream.append(score);
    at(calls, 0).handlers.onOpened(info(0));
    at(calls, 0).handlers.onAck(2, []);
    at(calls, 0).handlers.onAck(1, []);
    expect(stream.ackedSeq).toBe(2);
    expect(stream.pending.records).toBe(1);
  });

  test("a rejection is reported and counted, and a reopen corrects the count from the database", () => {
    const { calls, make, settle } = scripted();
    const stream = make();
    const seen: unknown[] = [];
    stream.onRejected((rejection) => seen.push(rejection));
    for (let i = 0; i < 3; i++) stream.append(score);
    at(calls, 0).handlers.onOpened(info(0));
    const rejection = { seq: 2, reason: "bad_text" as const, field: "score_history.score_type", message: "too long" };
    at(calls, 0).handlers.onAck(2, [rejection]);
    expect(seen).toEqual([{ ...rejection, by: "server" }]);
    expect(stream.counts).toMatchObject({ stored: 1, rejected: 1, pending: 1 });
    at(calls, 0).handlers.onEnd({ status: 14, message: "lost" });
    settle(1_000);
    at(calls, 1).handlers.onOpened({ ...info(3), counts: { stored: 1, rejected: 2, gapped: 0 } });
    expect(stream.counts).toMatchObject({ stored: 1, rejected: 2, pending: 0 });
  });

  test("takes a stream over once: after that, taking it again would steal it", () => {
    const { calls, make, settle } = scripted();
    const stream = make({ takeover: true });
    stream.append(score);
    at(calls, 0).handlers.onEnd({ status: 14, message: "lost before the answer" });
    settle(1_000);
    at(calls, 1).handlers.onOpened(info(0));
    at(calls, 1).handlers.onEnd({ status: 14, message: "lost" });
    settle(1_000);
    expect(calls.map(({ takeover }) => takeover)).toEqual([true, true, false]);
  });

  test("gives up when a twin keeps superseding it", () => {
    const { calls, make, settle } = scripted();
    const stream = make();
    stream.append(score);
    for (let i = 0; i < SUPERSEDED_MAX; i++) {
      at(calls, i).handlers.onOpened(info(0));
      at(calls, i).handlers.onEnd({ status: 10, message: "twin", code: "SUPERSEDED" });
      settle(1_000);
    }
    expect(stream.state).toMatchObject({ name: "failed", error: { name: "FencedError", code: "SUPERSEDED" } });
    expect(calls).toHaveLength(SUPERSEDED_MAX);
  });

  test("waits for credit, but always has one batch in flight", () => {
    const { calls, make } = scripted();
    const stream = make();
    for (let i = 0; i < 3; i++) stream.append(score);
    at(calls, 0).handlers.onOpened(info(0, 0));
    expect(at(calls, 0).sent).toEqual([1]);
    at(calls, 0).handlers.onCredit(1_000);
    expect(at(calls, 0).sent).toEqual([1, 2, 3]);
    stream.abort();
  });

  test("a call that is never answered is cancelled and made again", () => {
    const { calls, make, settle } = scripted();
    const stream = make({ openTimeoutMs: 500 });
    stream.append(score);
    settle(499);
    expect(at(calls, 0).log).toEqual([]);
    settle(1);
    expect(at(calls, 0).log).toEqual(["cancel"]);
    expect(stream.state).toMatchObject({ name: "waiting", because: { code: "UNAVAILABLE" } });
    settle(1_000);
    expect(calls.length).toBeGreaterThan(1);
  });
});

describe("the wait between attempts", () => {
  const lost = { status: 14, message: "connection refused" };

  test("is cut short when the network is back, however long it has grown", () => {
    const { calls, listeners, make, settle, connected } = scripted();
    const stream = make();
    stream.append(score);
    for (let attempt = 0; attempt < 12; attempt++) {
      at(calls, calls.length - 1).handlers.onEnd(lost);
      if (attempt < 11) settle(BACKOFF_CEILING_MS_LAST);
    }
    const before = calls.length;
    connected();
    settle(RECONNECTED_SPREAD_MS);
    expect(calls).toHaveLength(before + 1);
    expect(listeners.size).toBe(0);
  });

  test("is kept where the server itself asked for it", () => {
    const { calls, make, settle, connected } = scripted();
    make().append(score);
    at(calls, 0).handlers.onEnd({ status: 14, message: "away", code: "STORE_UNAVAILABLE", retryAfterMs: 5_000 });
    connected();
    settle(4_999);
    expect(calls).toHaveLength(1);
  });

  test("begins anew for a server that is reached and refuses, as one does that has just been started", () => {
    const { calls, make, settle } = scripted();
    const stream = make();
    stream.append(score);
    for (let attempt = 0; attempt < 12; attempt++) {
      at(calls, calls.length - 1).handlers.onEnd(lost);
      settle(BACKOFF_CEILING_MS_LAST);
    }
    const refusal = { status: 14, message: "starting", code: "STORE_UNAVAILABLE", retryAfterMs: 1_000 };
    at(calls, calls.length - 1).handlers.onEnd(refusal);
    const before = calls.length;
    settle(1_000 + BACKOFF_CEILING_MS_FIRST);
    expect(calls).toHaveLength(before + 1);
  });

  test("leaves no listener behind when the stream is aborted", () => {
    const { calls, listeners, make } = scripted();
    const stream = make();
    stream.append(score);
    at(calls, 0).handlers.onEnd(lost);
    expect(listeners.size).toBe(1);
    stream.abort();
    expect(listeners.size).toBe(0);
  });

  test("is drawn below a ceiling that doubles to ten seconds, and starts over after progress", () => {
    const highest = new Backoff(() => 1);
    const waits = Array.from({ length: 9 }, () => highest.nextMs());
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, BACKOFF_CEILING_MS_LAST, BACKOFF_CEILING_MS_LAST]);
    highest.reset();
    expect(highest.nextMs(250)).toBe(350);
    expect(new Backoff(() => 0).nextMs()).toBe(0);
  });
});

test("the table of ingest.proto decides what an end means", () => {
  const end = (status: number, code?: string) => meaningOf({ status, message: "", code });
  expect(end(0)).toBe("ended");
  expect(end(3)).toBe("bad-batch");
  expect(end(8, "BATCH_TOO_LARGE")).toBe("bad-batch");
  expect(end(8, "OVERLOADED")).toBe("retry");
  expect(end(9, "FENCED")).toBe("fatal");
  expect(end(9, "TOO_MANY_STREAMS")).toBe("fatal");
  expect(end(8, "TOO_MANY_STREAMS")).toBe("retry");
  expect(end(13, "INTERNAL")).toBe("retry");
  expect(end(15, "BROKEN_INVARIANT")).toBe("fatal");
  expect(end(10, "SEQUENCE_GAP")).toBe("retry");
  expect(end(10, "SUPERSEDED")).toBe("superseded");
  expect(end(14)).toBe("retry");
  expect(end(16)).toBe("fatal");
  expect(end(2)).toBe("retry");
});
