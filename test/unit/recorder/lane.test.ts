// A lane on a virtual clock, before a server and a network that do their worst, with a spill that runs full.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lane, type LaneSettings } from "../../../client/src/recorder/lane.js";
import { DROP_CAUSES, type Ledger } from "../../../client/src/recorder/ledger.js";
import { MemoryBudget } from "../../../client/src/recorder/memory-budget.js";
import type { OverflowPolicy } from "../../../client/src/recorder/options.js";
import { Problems } from "../../../client/src/recorder/problems.js";
import { Replay } from "../../../client/src/recorder/replay.js";
import { RetryBudget } from "../../../client/src/transport/retry-budget.js";
import { type NetworkFaults, SimulatedServer, scoreOf, VirtualClock } from "../client/simulation.js";
import { MemorySpill } from "./memory-spill.js";

interface Plan extends NetworkFaults {
  readonly seed: number;
  readonly records: number;
  readonly flushRecords: number;
  readonly policy: OverflowPolicy;
  readonly memoryBytesMax: number;
  readonly spillBytesMax: number;
  readonly spillAfterMs: number;
  /** Chance that time passes after an append. */
  readonly pause: number;
  /** The trainer is killed after this share of its records, and its spill replayed by a successor. */
  readonly killedAt: number | undefined;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer(),
  records: fc.integer({ min: 1, max: 120 }),
  flushRecords: fc.integer({ min: 1, max: 9 }),
  policy: fc.constantFrom<OverflowPolicy>("spill", "spill", "drop-oldest", "drop-newest"),
  memoryBytesMax: fc.constantFrom(100, 600, 100_000),
  spillBytesMax: fc.constantFrom(0, 300, 100_000),
  spillAfterMs: fc.constantFrom(0, 50, 5_000),
  pause: fc.constantFrom(0, 0.3, 0.7),
  killedAt: fc.constantFrom(undefined, undefined, 0.5, 1),
  breakChance: fc.constantFrom(0, 0.02, 0.2),
  refuseChance: fc.constantFrom(0, 0.5, 0.9),
  malformed: fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { maxLength: 3 }).map((scores) => new Set(scores)),
  creditBytes: fc.constantFrom(0, 100, 1_000_000),
});

function total(ledger: Ledger): number {
  const dropped = DROP_CAUSES.reduce((sum, cause) => sum + ledger.dropped[cause], 0);
  return ledger.durable + ledger.pending + ledger.rejected + dropped;
}

async function run(plan: Plan) {
  const clock = new VirtualClock(plan.seed);
  const server = new SimulatedServer(clock, plan);
  const spill = new MemorySpill(plan.spillBytesMax);
  const problems = new Problems();
  problems.add(() => undefined);
  const settings: LaneSettings = {
    transport: server,
    clock,
    retryBudget: new RetryBudget(() => clock.nowMs()),
    labels: {},
    budget: new MemoryBudget(plan.memoryBytesMax, ["score_history"]),
    spill,
    spillAfterMs: plan.spillAfterMs,
    readAheadBytes: plan.memoryBytesMax / 2,
    flushRecords: plan.flushRecords,
    flushBytes: 10_000,
    flushDelayMs: 2,
    problems,
    onProgress: () => undefined,
  };
  const identity = { sessionId: "s", streamId: "t", writerId: "w" };
  const type = plan.policy === "spill" ? undefined : ("score_history" as const);
  const lane = new Lane(identity, { policy: plan.policy, type }, settings);
  const wrong: string[] = [];
  let ackedBefore = 0;
  let handed = 0;
  const look = (): void => {
    const { ledger } = lane;
    if (ledger.appended !== handed) wrong.push(`${handed} handed over, ${ledger.appended} in the ledger`);
    if (total(ledger) !== ledger.appended || ledger.pending < 0) wrong.push(`uneven: ${JSON.stringify(ledger)}`);
    if (lane.ackedSeq < ackedBefore) wrong.push(`acked went from ${ackedBefore} to ${lane.ackedSeq}`);
    if (lane.ackedSeq > server.committedSeq) wrong.push(`acked ${lane.ackedSeq} of ${server.committedSeq}`);
    // A batch may be taken just before the mark, and a gap stands beside it.
    if (settings.budget.usedBytes > plan.memoryBytesMax + 400) wrong.push(`${settings.budget.usedBytes} bytes held`);
    ackedBefore = lane.ackedSeq;
  };
  const step = async (untilMs?: number): Promise<boolean> => {
    const fired = clock.step(untilMs);
    for (let i = 0; i < 4; i++) await Promise.resolve();
    look();
    return fired;
  };

  const last = plan.killedAt === undefined ? plan.records : Math.ceil(plan.records * plan.killedAt);
  for (let n = 1; n <= last; n++) {
    handed++;
    lane.append({ type: "score_history", score: n });
    look();
    while (clock.random() < plan.pause) await step(clock.nowMs() + 3_000);
  }
  for (let i = 0; i < 200 && (await step(clock.nowMs() + 10_000)); i++);
  if (plan.killedAt !== undefined) {
    // Killed: nothing of it speaks any more; a successor finds what was on disk.
    const spilled = spill.orphaned();
    lane.abandon();
    for (const orphan of spilled) {
      const replay = new Replay(orphan, settings);
      replay.start();
      server.heal();
      for (let i = 0; i < 5_000 && !replay.isOver; i++) {
        clock.step();
        for (let j = 0; j < 4; j++) await Promise.resolve();
      }
      if (!replay.isOver) wrong.push("the replay never ended");
      const { ledger } = replay;
      if (total(ledger) !== ledger.appended || ledger.pending !== 0) wrong.push(`replay: ${JSON.stringify(ledger)}`);
    }
    return { server, lane, wrong, last, spilledTo: Math.max(0, ...spilled.map(({ lastSeq }) => lastSeq)) };
  }
  server.heal();
  spill.bytesMax = Number.MAX_SAFE_INTEGER;
  lane.seal();
  for (let i = 0; i < 20_000 && !lane.isSettled; i++) {
    if (!(await step())) break;
  }
  if (!lane.isSettled) wrong.push(`never settled: ${lane.state}`);
  for (const log of spill.logs) wrong.push(...log.problems);
  return { server, lane, wrong, last, spilledTo: 0 };
}

/** What the server has for each number: a score, or undefined in a gap. */
function stored(server: SimulatedServer): (number | undefined)[] {
  const numbers: (number | undefined)[] = [];
  for (const [seq, entry] of [...server.entries].sort(([a], [b]) => a - b)) {
    if (seq !== numbers.length + 1) return [Number.NaN];
    const count = entry.kind?.$case === "gap" ? Number(entry.kind.value.count) : 1;
    for (let i = 0; i < count; i++) numbers.push(scoreOf(entry));
  }
  return numbers;
}

describe("a lane", () => {
  test("stores everything once and in order, or says what it gave up; its ledger is even at every moment", async () => {
    await fc.assert(
      fc.asyncProperty(
        plans.filter(({ killedAt }) => killedAt === undefined),
        async (plan) => {
          const { server, lane, wrong, last } = await run(plan);
          expect(wrong).toEqual([]);
          expect(lane.isSettled).toBe(true);
          const numbers = stored(server);
          expect(numbers).toHaveLength(last);
          numbers.forEach((score, i) => {
            if (score !== undefined) expect(score).toBe(i + 1);
          });
          expect(server.duplicates).toBe(0);
          const { ledger } = lane;
          const lost = numbers.filter((score) => score === undefined).length;
          expect(ledger.pending).toBe(0);
          expect(ledger.durable).toBe(last - lost);
          expect(ledger.dropped.overflow + ledger.dropped.invalid).toBe(lost);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("loses nothing, while the disk has room, however long the server is away", async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { server, lane, last } = await run({
          ...plan,
          policy: "spill",
          killedAt: undefined,
          spillBytesMax: Number.MAX_SAFE_INTEGER,
          malformed: new Set(),
        });
        expect(stored(server)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
        expect(lane.ledger.durable).toBe(last);
      }),
      { numRuns: 200 },
    );
  });

  test("leaves a successor all that it had spilled, which stores it once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        plans.filter(({ killedAt }) => killedAt !== undefined),
        async (plan) => {
          const { server, wrong, spilledTo } = await run({ ...plan, policy: "spill", malformed: new Set() });
          expect(wrong).toEqual([]);
          const numbers = stored(server);
          expect(numbers.length).toBeGreaterThanOrEqual(spilledTo);
          numbers.forEach((score, i) => {
            if (score !== undefined) expect(score).toBe(i + 1);
          });
          expect(server.duplicates).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
