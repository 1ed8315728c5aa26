// A recorder before a small real gRPC server that misbehaves on demand; its disk is in memory.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TailkeepClient } from "../../../client/src/client.js";
import { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import { OpenBatch } from "../../../client/src/encode/open-batch.js";
import { FIXED_LIMITS } from "../../../client/src/recorder/central-limits.js";
import { DROP_CAUSES, type Ledger } from "../../../client/src/recorder/ledger.js";
import { type RecorderOptions, resolveRecorderOptions } from "../../../client/src/recorder/options.js";
import { type Problem, Problems } from "../../../client/src/recorder/problems.js";
import { Recorder } from "../../../client/src/recorder/recorder.js";
import type { TrainingRecord } from "../../../client/src/records/training-record.js";
import { failure, IngestServer, type StoredStream } from "../client/ingest-server.js";
import { MemorySpill } from "./memory-spill.js";

let server: IngestServer;
const recorders: Recorder[] = [];

beforeEach(async () => {
  server = await new IngestServer().start();
});

afterEach(async () => {
  await Promise.all(recorders.splice(0).map((recorder) => recorder.close({ timeoutMs: 1 })));
  await server.stop();
});

function record(options: RecorderOptions = {}, spill?: MemorySpill): Recorder & { readonly problems: Problem[] } {
  const resolved = resolveRecorderOptions({ server: server.address, sessionId: "run", spill: false, ...options }, {});
  const client = new TailkeepClient(resolved.connect);
  const problems = new Problems();
  const recorder = new Recorder(resolved, {
    client,
    transport: client.ingestTransport(),
    spill,
    problems,
    limits: FIXED_LIMITS,
  });
  const heard: Problem[] = [];
  recorder.onProblem((problem) => heard.push(problem));
  recorders.push(recorder);
  return Object.assign(recorder, { problems: heard });
}

const score = (n: number): TrainingRecord => ({ type: "score_history", score: n });
const frame = (n: number, bytes = 10): TrainingRecord => ({
  type: "frame_tracking",
  frameHash: String(n),
  frameAnalysis: "x".repeat(bytes),
});

function isEven(ledger: Ledger): boolean {
  const dropped = DROP_CAUSES.reduce((sum, cause) => sum + ledger.dropped[cause], 0);
  return ledger.appended === ledger.durable + ledger.pending + ledger.rejected + dropped;
}

/** Scores or hashes of a stream in order; `-n` for a gap of n. */
function contents({ entries }: StoredStream): number[] {
  return [...entries.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, entry]) => {
      if (entry.kind?.$case === "gap") return -Number(entry.kind.value.count);
      const kind = entry.kind?.$case === "record" ? entry.kind.value.kind : undefined;
      if (kind?.$case === "scoreHistory") return kind.value.score ?? Number.NaN;
      return kind?.$case === "frameTracking" ? Number(kind.value.frameHash) : Number.NaN;
    });
}

const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("recording", () => {
  test("types that spill share a stream of their session, those that drop have their own", async () => {
    const recorder = record({ overflow: { frame_tracking: "drop-oldest" } });
    for (const n of numbers(1, 300)) expect(recorder.append(score(n))).toBe("queued");
    recorder.append({ type: "session_history", status: "WIN" });
    recorder.append(frame(1));
    recorder.append(score(1), "other");
    await recorder.flush();
    expect(server.streams.size).toBe(3);
    expect(recorder.ledger).toMatchObject({ appended: 303, durable: 303, pending: 0 });
    const lanes = recorder.lanes.map(({ sessionId, type, ledger }) => [sessionId, type, ledger.durable]);
    expect(lanes).toEqual([
      ["run", undefined, 301],
      ["run", "frame_tracking", 1],
      ["other", undefined, 1],
    ]);
  });

  test("what cannot be encoded is refused, counted and said once, and disturbs nobody", async () => {
    const recorder = record();
    expect(recorder.append({ type: "score_history", score: "high" as unknown as number })).toBe("rejected");
    expect(recorder.append({ type: "nonsense" } as unknown as TrainingRecord)).toBe("rejected");
    expect(recorder.append(score(1))).toBe("queued");
    await recorder.flush();
    expect(recorder.ledger).toMatchObject({ appended: 3, durable: 1, rejected: 2 });
    expect(recorder.problems.map(({ code }) => code)).toEqual(["RECORD_REFUSED"]);
  });

  test("flush says how many are pending when its time is up, and they are sent all the same", async () => {
    await server.stop();
    const recorder = record();
    for (const n of numbers(1, 10)) recorder.append(score(n));
    await expect(recorder.flush({ timeoutMs: 50 })).rejects.toThrow(/^10 records pending/);
    await server.start();
    await recorder.flush();
    expect(contents(server.only)).toEqual(numbers(1, 10));
  });

  test("a wrong key is somebody's to mend: nothing is lost until then", async () => {
    server.faults = { onOpen: () => failure(16, "UNAUTHENTICATED") };
    const spill = new MemorySpill(1e9);
    const recorder = record({ spillAfterMs: 20 }, spill);
    for (const n of numbers(1, 100)) recorder.append(score(n));
    await expect.poll(() => recorder.problems.map(({ code }) => code)).toContain("UNAUTHENTICATED");
    await expect.poll(() => spill.bytes).toBeGreaterThan(0);
    expect(recorder.ledger.pending).toBe(100);
    expect(await recorder.close({ timeoutMs: 1 })).toMatchObject({ appended: 100, pending: 100 });
  });

  test("a fenced stream stops, counts what it lost and keeps its files", async () => {
    server.faults = { onOpen: () => failure(9, "FENCED") };
    const recorder = record();
    recorder.append(score(1));
    await expect(recorder.flush()).rejects.toMatchObject({ name: "FencedError" });
    expect(recorder.append(score(2))).toBe("dropped");
    expect(recorder.ledger).toMatchObject({ appended: 2, pending: 0, dropped: { fenced: 2 } });
  });

  test("streams of sessions that are over do not add up", async () => {
    const recorder = record();
    for (const n of numbers(1, 200)) {
      recorder.append(score(n), `session-${n}`);
      if (n % 20 === 0) await recorder.flush();
    }
    await recorder.flush();
    expect(recorder.lanes.length).toBeLessThanOrEqual(84);
    expect(recorder.ledger).toMatchObject({ appended: 200, durable: 200, pending: 0 });
    expect(server.streams.size).toBe(200);
  });
});

describe("when memory is short", () => {
  const memoryBytesMax = 8 * 1024 * 1024;
  const bytes = 10_000;

  test("frames give way before scores", async () => {
    await server.stop();
    const recorder = record({ memoryBytesMax, overflow: { frame_tracking: "drop-oldest" }, flushRecords: 10 });
    for (const n of numbers(1, 2_000)) {
      recorder.append(frame(n, bytes));
      if (n % 100 === 0) recorder.append(score(n));
      expect(recorder.memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
      expect(isEven(recorder.ledger)).toBe(true);
    }
    expect(recorder.ledger.dropped.overflow).toBeGreaterThan(1_000);
    await server.start();
    await recorder.flush();
    const [frames, scores] = [...server.streams.values()].map(contents).sort((a, b) => b.length - a.length);
    expect(scores).toEqual(numbers(1, 20).map((n) => n * 100));
    const lost = -(frames?.[0] ?? 0);
    expect(frames).toEqual([-lost, ...numbers(lost + 1, 2_000)]);
    expect(recorder.ledger).toMatchObject({ appended: 2_020, durable: 2_020 - lost, pending: 0 });
    expect(recorder.ledger.dropped.overflow).toBe(lost);
  });

  test("drop-newest keeps what came first, and declares the rest", async () => {
    await server.stop();
    const recorder = record({ memoryBytesMax, overflow: "drop-newest", flushRecords: 10 });
    const outcomes = numbers(1, 2_000).map((n) => recorder.append(frame(n, bytes)));
    expect(outcomes.at(-1)).toBe("dropped");
    expect(recorder.problems.map(({ code }) => code)).toEqual(["OVERFLOW"]);
    await server.start();
    await recorder.flush();
    const stored = contents(server.only);
    expect(stored).toEqual([...numbers(1, stored.length - 1), stored.length - 1 - 2_000]);
    recorder.append(frame(7));
    await recorder.flush();
    expect(contents(server.only).at(-1)).toBe(7);
    expect(isEven(recorder.ledger)).toBe(true);
  });

  test("spill goes to disk, comes back in order, and then the way is direct again", async () => {
    await server.stop();
    const spill = new MemorySpill(1e9);
    const recorder = record({ memoryBytesMax, flushRecords: 10 }, spill);
    const outcomes = numbers(1, 2_000).map((n) => recorder.append(frame(n, bytes)));
    expect(outcomes.at(-1)).toBe("spilled");
    expect(recorder.memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
    await server.start();
    await recorder.flush();
    expect(contents(server.only)).toEqual(numbers(1, 2_000));
    expect(recorder.append(frame(2_001))).toBe("queued");
    await recorder.flush();
    expect(spill.bytes).toBe(0);
    expect(recorder.ledger).toMatchObject({ appended: 2_001, durable: 2_001 });
  });

  test("over the quota of the disk the newest are dropped, and declared", async () => {
    await server.stop();
    const recorder = record({ memoryBytesMax, flushRecords: 10 }, new MemorySpill(6_000_000));
    for (const n of numbers(1, 2_000)) recorder.append(frame(n, bytes));
    expect(isEven(recorder.ledger)).toBe(true);
    expect(recorder.memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
    await server.start();
    await recorder.flush({ timeoutMs: 15_000 });
    const stored = contents(server.only);
    expect(stored).toEqual([...numbers(1, stored.length - 1), stored.length - 1 - 2_000]);
  });

  test("drained waits for those who would rather wait", async () => {
    const recorder = record({ memoryBytesMax, overflow: "drop-newest" });
    for (const n of numbers(1, 3_000)) {
      if (recorder.memoryBytes > memoryBytesMax / 2) await recorder.drained();
      expect(recorder.append(frame(n, bytes))).toBe("queued");
    }
    await recorder.flush();
    expect(recorder.ledger).toMatchObject({ durable: 3_000 });
  });
});

describe("a server that goes away", () => {
  test("what waits too long is spilled, so that a death of the trainer costs nothing", async () => {
    await server.stop();
    const spill = new MemorySpill(1e9);
    const recorder = record({ spillAfterMs: 30 }, spill);
    recorder.append(score(1));
    await expect.poll(() => spill.bytes).toBeGreaterThan(0);
    recorder.append(score(2));
    await expect.poll(() => spill.orphaned()[0]?.lastSeq).toBe(2);
  });

  test("a server that is frozen is no better than one that is away", async () => {
    server.faults = { swallowAcks: true };
    const spill = new MemorySpill(1e9);
    const recorder = record({ spillAfterMs: 30 }, spill);
    recorder.append(score(1));
    await expect.poll(() => spill.orphaned()[0]?.lastSeq).toBe(1);
    expect(recorder.ledger.pending).toBe(1);
  });

  test("a successor replays what its predecessor had spilled, under its own name, while it records itself", async () => {
    const spill = new MemorySpill(1e9);
    const identity = { sessionId: "run", streamId: "old", writerId: "dead" };
    const log = spill.log(identity);
    const open = new OpenBatch();
    for (const n of numbers(1, 20)) open.append(score(n));
    log.append(open.seal(6));
    log.append(EncodedBatch.ofGap(26, 5, 0, 0));
    spill.orphans = [{ log, identity, firstSeq: 6, lastSeq: 30 }];
    server.streams.set("run/old", {
      writerId: "dead",
      epoch: 1,
      committedSeq: 5,
      counts: { stored: 5n, rejected: 0n, gapped: 0n },
      entries: new Map(),
      batchSizes: [],
      opens: 1,
    });
    const recorder = record({}, spill);
    recorder.append(score(100));
    await recorder.replayed();
    await recorder.flush();
    expect(contents(server.streams.get("run/old") as StoredStream)).toEqual([...numbers(1, 20), -5]);
    expect(recorder.replayLedger).toMatchObject({ appended: 25, pending: 0 });
    expect(recorder.ledger).toMatchObject({ appended: 1, durable: 1 });
  });

  test("close spills what is not durable in time, and says what is pending", async () => {
    await server.stop();
    const spill = new MemorySpill(1e9);
    const recorder = record({}, spill);
    for (const n of numbers(1, 500)) recorder.append(score(n));
    expect(await recorder.close({ timeoutMs: 20 })).toMatchObject({ appended: 500, pending: 500 });
    expect(spill.orphaned()[0]).toMatchObject({ firstSeq: 1, lastSeq: 500 });
    expect(recorder.append(score(501))).toBe("dropped");
  });

  test("without a disk close says what is lost", async () => {
    await server.stop();
    const recorder = record();
    for (const n of numbers(1, 500)) recorder.append(score(n));
    expect(await recorder.close({ timeoutMs: 20 })).toMatchObject({ pending: 0, dropped: { closed: 500 } });
  });
});
