/**
 * What one round does, derived from its seed alone: which streams append how much in which rhythm, and when what is
 * killed. A failing round is repeated by its seed and number.
 */
import { SeededRandom } from "./random.js";

export type KillTarget = "server" | "database";

export interface StreamPlan {
  readonly streamId: string;
  readonly sessionId: string;
  /** Seed of its records. */
  readonly seed: string;
  /** Appends, a gap being one. */
  readonly entries: number;
  /** Appended in one turn of the event loop, at most. */
  readonly burstMax: number;
  /** Between bursts, at most. */
  readonly pauseMsMax: number;
  readonly flushRecords: number;
  /** Short ones half-close and reopen within a round. */
  readonly idleCloseMs: number;
  readonly gapShare: number;
  readonly badShare: number;
  /** Records without an event time, which the server then sets. */
  readonly timelessShare: number;
}

export interface KillPlan {
  /** Once this share of the round's entries is acked. */
  readonly afterAckedShare: number;
  /** Then after this time, or at the next commit that becomes visible in the database, whose ack is on its way. */
  readonly moment: { readonly kind: "delay"; readonly delayMs: number } | { readonly kind: "commit" };
  /** Dead for so long before it is started again. */
  readonly downMs: number;
}

export interface RoundPlan {
  readonly seed: string;
  readonly round: number;
  readonly streams: readonly StreamPlan[];
  readonly kills: readonly KillPlan[];
  /** Session whose records are also read back through the History API. */
  readonly readBackSessionId: string;
}

const STREAMS_MIN = 4;
const STREAMS_MAX = 10;
const ENTRIES_MIN = 50;
const ENTRIES_MAX = 3_000;
/** How long a stream appends where nobody is killed: kills and restarts take as long again. */
const APPENDING_MS_MIN = 300;
const APPENDING_MS_MAX = 1_500;

export function planRound(seed: string, round: number): RoundPlan {
  const random = new SeededRandom(`${seed}/${round}`);
  const sessionIds = [`kill-${seed}-${round}-a`, `kill-${seed}-${round}-b`];
  const streams = Array.from({ length: random.whole(STREAMS_MIN, STREAMS_MAX) }, (_, at): StreamPlan => {
    const isBursty = random.chance(0.4);
    const burstMax = isBursty ? random.whole(100, 600) : random.whole(1, 40);
    const pauseMsMax = isBursty ? random.whole(40, 150) : random.whole(1, 25);
    const bursts = random.whole(APPENDING_MS_MIN, APPENDING_MS_MAX) / (pauseMsMax / 2 + 1);
    return {
      streamId: `stream-${at}`,
      // Both sessions have streams of the same names: identity is more than the stream's own name.
      sessionId: sessionIds[at % 2] as string,
      seed: `${seed}/${round}/${at}`,
      entries: Math.round(Math.min(ENTRIES_MAX, Math.max(ENTRIES_MIN, (bursts * burstMax) / 2))),
      burstMax,
      pauseMsMax,
      flushRecords: random.pick([1, 16, 64, 256, 512]),
      idleCloseMs: random.pick([5, 60, 1_000, 1_000]),
      gapShare: random.pick([0, 0.002, 0.02]),
      badShare: random.pick([0, 0.001, 0.01]),
      timelessShare: random.pick([0, 0.05, 1]),
    };
  });
  const kills = Array.from({ length: random.whole(1, 3) }, (): KillPlan => {
    return {
      afterAckedShare: random.share() * 0.85,
      moment: random.chance(0.5) ? { kind: "commit" } : { kind: "delay", delayMs: random.whole(0, 40) },
      downMs: random.chance(0.5) ? 0 : random.whole(1, 250),
    };
  }).sort((a, b) => a.afterAckedShare - b.afterAckedShare);
  return { seed, round, streams, kills, readBackSessionId: random.pick(sessionIds) };
}

export function plannedEntries(plan: RoundPlan): number {
  return plan.streams.reduce((sum, stream) => sum + stream.entries, 0);
}
