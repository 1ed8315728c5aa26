import { InvalidArgumentError } from "../errors/errors.js";
import {
  BATCH_ENTRIES_MAX,
  EXIT_FLUSH_MS_DEFAULT,
  FLUSH_BYTES_DEFAULT,
  FLUSH_DELAY_MS_DEFAULT,
  FLUSH_RECORDS_DEFAULT,
  RECORDER_BYTES_MAX_DEFAULT,
  RECORDER_BYTES_MIN,
  SPILL_AFTER_MS_DEFAULT,
} from "../limits.js";
import { type ConnectOptions, flag, type ResolvedConnectOptions, resolveConnectOptions } from "../options.js";
import { RECORD_TYPE_NAMES, type RecordTypeName } from "../records/training-record.js";
import type { EndSignal } from "./process-end.js";
import { type ResolvedSpillOptions, resolveSpillOptions, type SpillSettings } from "./spill-options.js";

/**
 * What becomes of records while the server cannot take them and memory is short.
 * - `spill`: they go to disk, and are sent when the server is back. Over the spill's quota the newest are dropped.
 * - `drop-oldest`: the oldest unsent ones are given up.
 * - `drop-newest`: the new ones are given up.
 */
export type OverflowPolicy = "spill" | "drop-oldest" | "drop-newest";

/** How a process records. Everything has a default. */
export interface RecorderOptions extends ConnectOptions {
  /**
   * `false`: containers work as ever, and nothing is recorded, counted, spilled or asked of the server on their behalf; for
   * the tests of a trainer, say. Reading back still asks the server. @default env TAILKEEP_RECORDING, else true
   */
  readonly recording?: boolean | undefined;
  /** One policy for all types, or one a type; types that are not named spill. @default "spill" */
  readonly overflow?: OverflowPolicy | Readonly<Partial<Record<RecordTypeName, OverflowPolicy>>> | undefined;
  /**
   * Which of the types that drop their oldest lose first. @default frame_tracking, coordinate_tracking, action_tracking,
   * performance_history, score_history, session_history
   */
  readonly giveWay?: readonly RecordTypeName[] | undefined;
  /**
   * Memory for records that are not yet durable, in bytes, over all types and sessions; from half of it on types give way
   * and spilling begins. At least 8 MiB. @default 33,554,432
   */
  readonly memoryBytesMax?: number | undefined;
  /** Where and how much may be spilled; `false`: never write to disk. @default see SpillSettings */
  readonly spill?: false | SpillSettings | undefined;
  /** Spilling begins when the oldest unacked record has waited this long, in milliseconds. @default 1,000 */
  readonly spillAfterMs?: number | undefined;
  /** Labels of the sessions that are written, at most 32. @default none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** A batch leaves at this many records, 1 to 4,096. @default 256 */
  readonly flushRecords?: number | undefined;
  /** A batch leaves at this many bytes, 1 to 524,288. @default 524,288 */
  readonly flushBytes?: number | undefined;
  /** A batch leaves this long after its first record while others are under way; at once if none is. @default 2 */
  readonly flushDelayMs?: number | undefined;
  /** How long a process that ends by itself may wait until everything is durable, in milliseconds; 0: not. @default 5,000 */
  readonly exitFlushMs?: number | undefined;
  /** Flush on SIGTERM too, then end by it. Leave it off where the process handles SIGTERM itself. @default false */
  readonly flushOnSigterm?: boolean | undefined;
  /**
   * Flush on SIGINT (Ctrl-C) too, then end by it; at a second one what is left is written to disk and the process ends. Leave
   * it off where the process handles SIGINT itself. @default false
   */
  readonly flushOnSigint?: boolean | undefined;
}

/** Options with every default filled in. */
export interface ResolvedRecorderOptions {
  readonly recording: boolean;
  readonly connect: ResolvedConnectOptions;
  readonly overflow: Readonly<Record<RecordTypeName, OverflowPolicy>>;
  readonly giveWay: readonly RecordTypeName[];
  readonly memoryBytesMax: number;
  readonly spill: ResolvedSpillOptions | undefined;
  readonly spillAfterMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly flushRecords: number;
  readonly flushBytes: number;
  readonly flushDelayMs: number;
  readonly exitFlushMs: number;
  readonly flushOn: readonly EndSignal[];
}

/** Bulk before essence: what there is most of and what is missed least goes first. */
const GIVE_WAY_DEFAULT: readonly RecordTypeName[] = [
  "frame_tracking",
  "coordinate_tracking",
  "action_tracking",
  "performance_history",
  "score_history",
  "session_history",
];

const POLICIES: readonly OverflowPolicy[] = ["spill", "drop-oldest", "drop-newest"];

/** Throws InvalidArgumentError for what cannot be: that is a bug of the caller, not a matter of telemetry. */
export function resolveRecorderOptions(
  options: RecorderOptions = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedRecorderOptions {
  const recording = options.recording ?? flag(env, "TAILKEEP_RECORDING", true);
  return Object.freeze({
    recording,
    connect: resolveConnectOptions(options, env),
    overflow: policies(options.overflow),
    giveWay: giveWayOrder(options.giveWay ?? GIVE_WAY_DEFAULT),
    memoryBytesMax: number(options.memoryBytesMax, RECORDER_BYTES_MAX_DEFAULT, "memoryBytesMax", RECORDER_BYTES_MIN),
    spill: options.spill === false || !recording ? undefined : resolveSpillOptions(options.spill, env),
    spillAfterMs: number(options.spillAfterMs, SPILL_AFTER_MS_DEFAULT, "spillAfterMs", 0, 3_600_000),
    labels: Object.freeze({ ...options.labels }),
    flushRecords: number(options.flushRecords, FLUSH_RECORDS_DEFAULT, "flushRecords", 1, BATCH_ENTRIES_MAX),
    flushBytes: number(options.flushBytes, FLUSH_BYTES_DEFAULT, "flushBytes", 1, FLUSH_BYTES_DEFAULT),
    flushDelayMs: number(options.flushDelayMs, FLUSH_DELAY_MS_DEFAULT, "flushDelayMs", 0, 60_000),
    exitFlushMs: number(options.exitFlushMs, EXIT_FLUSH_MS_DEFAULT, "exitFlushMs", 0, 3_600_000),
    flushOn: Object.freeze([
      ...(options.flushOnSigterm === true ? (["SIGTERM"] as const) : []),
      ...(options.flushOnSigint === true ? (["SIGINT"] as const) : []),
    ]),
  });
}

function policies(overflow: RecorderOptions["overflow"] = {}): Readonly<Record<RecordTypeName, OverflowPolicy>> {
  const named = typeof overflow === "string" ? {} : overflow;
  const fallback = typeof overflow === "string" ? overflow : "spill";
  for (const name of Object.keys(named)) knownType(name, "overflow");
  const entries = RECORD_TYPE_NAMES.map((name) => [name, policy(named[name] ?? fallback, name)] as const);
  return Object.freeze(Object.fromEntries(entries) as Record<RecordTypeName, OverflowPolicy>);
}

function policy(value: OverflowPolicy, type: string): OverflowPolicy {
  if (!POLICIES.includes(value)) {
    throw invalid(`overflow of ${type} must be one of ${POLICIES.join(", ")}, but is ${String(value)}`);
  }
  return value;
}

/** Types that are not named come last, in the default order. */
function giveWayOrder(names: readonly RecordTypeName[]): readonly RecordTypeName[] {
  for (const name of names) knownType(name, "giveWay");
  return Object.freeze([...new Set([...names, ...GIVE_WAY_DEFAULT])]);
}

function knownType(name: string, option: string): void {
  if (!(RECORD_TYPE_NAMES as readonly string[]).includes(name)) {
    throw invalid(`${option} names ${name}, which is none of ${RECORD_TYPE_NAMES.join(", ")}`);
  }
}

function number(value: number | undefined, fallback: number, name: string, min: number, max = Infinity): number {
  if (value === undefined) return fallback;
  if (!(value >= min && value <= max)) throw invalid(`${name} must be between ${min} and ${max}, but is ${value}`);
  return value;
}

function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: "BAD_FIELD", retryable: false, grpcStatus: 3 });
}
