// Records that are lost are counted once, as what they were lost to first.
import { expect, test } from "vitest";
import { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import { Lane, type LaneSettings } from "../../../client/src/recorder/lane.js";
import { droppedTotal, type Ledger } from "../../../client/src/recorder/ledger.js";
import { MemoryBudget } from "../../../client/src/recorder/memory-budget.js";
import { Problems } from "../../../client/src/recorder/problems.js";
import { Replay } from "../../../client/src/recorder/replay.js";
import type { IngestCallHandlers, IngestTransport } from "../../../client/src/transport/ingest-transport.js";
import { RetryBudget } from "../../../client/src/transport/retry-budget.js";
import { VirtualClock } from "../client/simulation.js";
import { MemoryLog, MemorySpill } from "./memory-spill.js";

const IDENTITY = { sessionId: "s", streamId: "t", writerId: "w" };
const MEMORY_BYTES_MAX = 200;

/** A server that says what the test has it say. */
class ScriptedServer implements IngestTransport {
  readonly calls: IngestCallHandlers[] = [];

  open(_request: unknown, handlers: IngestCallHandlers) {
    this.calls.push(handlers);
    return { send: () => true, halfClose: () => undefined, cancel: () => undefined };
  }

  get call(): IngestCallHandlers {
    return this.calls.at(-1) as IngestCallHandlers;
  }

  opened(committedSeq: number, gapped: number, regressed?: { firstSeq: number; lastSeq: number }): void {
    const counts = { stored: committedSeq - gapped, rejected: 0, gapped };
    const rest = { creditBytes: 1_000_000, regressed, durable: true, serverVersion: "scripted" };
    this.call.onOpened({ epoch: this.calls.length, committedSeq, counts, ...rest });
  }
}

function scene() {
  const server = new ScriptedServer();
  const clock = new VirtualClock(1);
  const problems = new Problems();
  problems.add(() => undefined);
  const settings: LaneSettings & { readonly onProgress: () => void } = {
    transport: server,
    clock,
    retryBudget: new RetryBudget(() => clock.nowMs()),
    labels: {},
    budget: new MemoryBudget(MEMORY_BYTES_MAX, []),
    spill: undefined,
    spillAfterMs: 1_000,
    readAheadBytes: 1_000,
    flushRecords: 1,
    flushBytes: 10_000,
    flushDelayMs: 2,
    problems,
    onProgress: () => undefined,
  };
  return { server, clock, settings };
}

function sumOf({ durable, pending, rejected, dropped }: Ledger): number {
  return durable + pending + rejected + droppedTotal(dropped);
}

test("what was dropped before it was acked is not lost again with a restored database", () => {
  const { server, clock, settings } = scene();
  const lane = new Lane(IDENTITY, { policy: "drop-newest", type: "score_history" }, settings);
  for (let score = 1; score <= 20; score++) lane.append({ type: "score_history", score });
  clock.advanceTo(1);
  server.opened(0, 0);
  const { overflow } = lane.ledger.dropped;
  expect(overflow).toBeGreaterThan(0);
  expect(overflow).toBeLessThan(20);
  server.call.onAck(20 - overflow, []);
  // The gap follows once there is room.
  clock.advanceTo(1_500);
  server.call.onAck(20, []);
  expect(lane.ledger).toMatchObject({ durable: 20 - overflow, pending: 0 });
  expect(lane.ackedSeq).toBe(20);
  if (server.calls.length === 1) server.call.onEnd({ status: 14, message: "gone" });
  lane.append({ type: "score_history", score: 21 });
  while (server.calls.length < 2) clock.step();
  server.opened(20, 20, { firstSeq: 1, lastSeq: 20 });
  const { ledger } = lane;
  expect(ledger.dropped).toMatchObject({ overflow, store_regressed: 20 - overflow });
  expect(ledger).toMatchObject({ appended: 21, durable: 0, pending: 1 });
  expect(sumOf(ledger)).toBe(21);
});

test("what a restored database has lost is lost although the answer that said so never came", () => {
  const { server, clock, settings } = scene();
  const lane = new Lane(IDENTITY, { policy: "drop-newest", type: "score_history" }, settings);
  for (let score = 1; score <= 5; score++) lane.append({ type: "score_history", score });
  clock.advanceTo(10);
  server.opened(0, 0);
  server.call.onAck(5, []);
  expect(lane.ledger).toMatchObject({ durable: 5, pending: 0 });
  server.call.onEnd({ status: 14, message: "gone" });
  lane.append({ type: "score_history", score: 6 });
  while (server.calls.length < 2) clock.step();
  // The gap is stored in this call, whose answer is lost; the next one has nothing more to say than its counts.
  server.call.onEnd({ status: 14, message: "gone" });
  while (server.calls.length < 3) clock.step();
  server.opened(5, 5);
  expect(lane.ledger).toMatchObject({ appended: 6, durable: 0, pending: 1, dropped: { store_regressed: 5 } });
  server.call.onAck(6, []);
  expect(lane.ledger).toMatchObject({ durable: 1, pending: 0 });
});

test("what was still open when its stream was lost is lost with it, and not also for want of room", () => {
  const { server, clock, settings } = scene();
  const lane = new Lane(IDENTITY, { policy: "drop-newest", type: "score_history" }, { ...settings, flushRecords: 8 });
  for (let score = 1; score <= 8; score++) lane.append({ type: "score_history", score });
  clock.advanceTo(1);
  server.opened(0, 0);
  lane.append({ type: "score_history", score: 9 });
  server.call.onEnd({ status: 9, code: "FENCED", message: "taken over" });
  settings.budget.report({ givesWayAs: undefined, giveWay: () => false }, MEMORY_BYTES_MAX);
  lane.seal();
  const { ledger } = lane;
  expect(ledger).toMatchObject({ appended: 9, pending: 0 });
  expect(ledger.dropped).toMatchObject({ fenced: 9, overflow: 0 });
  expect(sumOf(ledger)).toBe(9);
});

test("what is damaged in a spill is not also waiting to be replayed", () => {
  const { settings } = scene();
  const log = new MemoryLog(IDENTITY, new MemorySpill(Number.MAX_SAFE_INTEGER));
  for (let seq = 1; seq <= 6; seq++) log.append(EncodedBatch.ofGap(seq, 1, 0, 0));
  Object.defineProperty(log, "missing", { value: [{ firstSeq: 3, lastSeq: 5 }] });
  const replay = new Replay({ log, identity: IDENTITY, firstSeq: 1, lastSeq: 6 }, settings);
  const { ledger } = replay;
  expect(ledger).toMatchObject({ appended: 6, durable: 0, pending: 3 });
  expect(ledger.dropped.spill_corrupt).toBe(3);
  expect(sumOf(ledger)).toBe(6);
});
