/** The records that every row of the benchmark uses, as the SDK takes them and as a bare driver inserts them. */
import type { TrainingRecord } from "@tailkeep/client";

export const TABLES = [
  "performance_history",
  "session_history",
  "action_tracking",
  "score_history",
  "coordinate_tracking",
  "frame_tracking",
] as const;

export type TableName = (typeof TABLES)[number];

const GAME = "ls20-fa137e247ce6";
const EPOCH_US = 1_795_000_000_000_000;

/** Record `n` of a stream: the six types in turn, as a trainer would mix them; 10 ms apart. */
export function record(n: number): TrainingRecord {
  const eventTimeUs = EPOCH_US + n * 10_000;
  const gameId = GAME;
  switch (n % 6) {
    case 0:
      return {
        type: "performance_history",
        eventTimeUs,
        gameId,
        score: n,
        winRate: 0.5,
        learningEfficiency: 0.25,
        metadata: { epsilon: 0.1, loss: n / 1_000, step: n },
      };
    case 1:
      return {
        type: "session_history",
        eventTimeUs,
        gameId,
        status: "GAME_OVER",
        durationSeconds: 12.5,
        actionsTaken: n,
        score: n,
        win: false,
        metadata: { level: 3, seed: n, mode: "train" },
      };
    case 2:
      return {
        type: "action_tracking",
        eventTimeUs,
        gameId,
        actionType: "ACTION6",
        actionSequence: [1, 2, 6, 6],
        effectiveness: 0.4,
        context: { x: n % 64 },
      };
    case 3:
      return { type: "score_history", eventTimeUs, gameId, score: n, scoreType: "current" };
    case 4:
      return {
        type: "coordinate_tracking",
        eventTimeUs,
        gameId,
        coordinateX: n % 64,
        coordinateY: 63 - (n % 64),
        actionType: "ACTION6",
        success: n % 2 === 0,
      };
    default:
      return {
        type: "frame_tracking",
        eventTimeUs,
        gameId,
        frameHash: `frame-${n % 1_000}`,
        frameAnalysis: { stagnant: 0 },
        stagnationDetected: false,
      };
  }
}

type Value = string | number | null;

function bit(value: boolean | undefined): number | null {
  return value === undefined ? null : Number(value);
}

/** A record's own columns in the order of its table, ready to bind. */
export function ownValues(each: TrainingRecord): Value[] {
  const game = each.gameId ?? "unknown";
  switch (each.type) {
    case "performance_history":
      return [
        game,
        each.score ?? null,
        each.winRate ?? null,
        each.learningEfficiency ?? null,
        JSON.stringify(each.metadata),
      ];
    case "session_history":
      return [
        game,
        each.status ?? null,
        each.durationSeconds ?? null,
        each.actionsTaken ?? null,
        each.score ?? null,
        bit(each.win),
        JSON.stringify(each.metadata),
      ];
    case "action_tracking":
      return [
        game,
        each.actionType ?? null,
        JSON.stringify(each.actionSequence),
        each.effectiveness ?? null,
        JSON.stringify(each.context),
      ];
    case "score_history":
      return [game, each.score ?? null, each.scoreType ?? "current"];
    case "coordinate_tracking":
      return [
        game,
        each.coordinateX ?? null,
        each.coordinateY ?? null,
        each.actionType ?? null,
        bit(each.success),
        null,
      ];
    case "frame_tracking":
      return [game, each.frameHash ?? null, JSON.stringify(each.frameAnalysis), bit(each.stagnationDetected)];
  }
}

export const OWN_COLUMNS: Record<TableName, readonly string[]> = {
  performance_history: ["game_id", "score", "win_rate", "learning_efficiency", "metadata"],
  session_history: ["game_id", "status", "duration_seconds", "actions_taken", "score", "win", "metadata"],
  action_tracking: ["game_id", "action_type", "action_sequence", "effectiveness", "context"],
  score_history: ["game_id", "score", "score_type"],
  coordinate_tracking: ["game_id", "coordinate_x", "coordinate_y", "action_type", "success", "context"],
  frame_tracking: ["game_id", "frame_hash", "frame_analysis", "stagnation_detected"],
};

/** Columns of a rows table that a writer fills. */
export function columnsOf(table: TableName): string[] {
  return [
    "stream",
    "seq",
    "namespace_id",
    "session_id",
    ...OWN_COLUMNS[table],
    "timestamp",
    "nonfinite",
    "created_at",
    "expires_on",
  ];
}

/** `YYYY-MM-DD HH:MM:SS.ffffff` */
export function timestampText(us: number): string {
  const iso = new Date(us / 1_000).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}${String(us % 1_000).padStart(3, "0")}`;
}

/** All values of the row that record `n` becomes. */
export function fullRow(
  n: number,
  stream: bigint,
  seq: number,
  sessionId: string,
): { table: TableName; values: (Value | bigint)[] } {
  const each = record(n);
  const time = timestampText(each.eventTimeUs ?? 0);
  return {
    table: each.type,
    values: [
      stream,
      seq,
      "default",
      sessionId,
      ...ownValues(each),
      time,
      null,
      "2026-01-01 00:00:00.000000",
      "2026-02-01",
    ],
  };
}
