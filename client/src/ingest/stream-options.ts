import { randomUUID } from "node:crypto";
import { InvalidArgumentError } from "../errors/errors.js";
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  FLUSH_BYTES_DEFAULT,
  FLUSH_DELAY_MS_DEFAULT,
  FLUSH_RECORDS_DEFAULT,
  IDLE_CLOSE_MS_DEFAULT,
  OPEN_TIMEOUT_MS_DEFAULT,
  QUEUE_BYTES_MAX_DEFAULT,
  QUEUE_RECORDS_MAX_DEFAULT,
} from "../limits.js";
import { id } from "../records/id.js";

/** How a stream is written. Everything has a default. */
export interface StreamOptions {
  /** The training run, 1 to 128 characters. @default the client's session */
  readonly sessionId?: string | undefined;
  /**
   * The stream in that session, 1 to 128 characters. Name one only to go on with a stream of an earlier process, together
   * with its `writerId` (or `takeover`). @default random and fresh
   */
  readonly streamId?: string | undefined;
  /** Who writes, 1 to 128 characters; two writers never share one. @default random */
  readonly writerId?: string | undefined;
  /** Highest number this writer ever saw acked. Lets the server notice that its database was restored. @default 0 */
  readonly ackedSeq?: number | undefined;
  /** Take the stream from another writer, which is then fenced for good. @default false */
  readonly takeover?: boolean | undefined;
  /**
   * What appending to a stream that already has records means.
   * - `continue`: the records are new and numbered on from what the server has. Numbers returned by `append` before the
   *   first open are provisional then (`onRenumbered` tells by how much they moved up).
   * - `resend`: the caller repeats its records from `ackedSeq + 1`; what the server already has is skipped, exactly once.
   *   An importer that may be run again uses this.
   *
   * @default "continue"
   */
  readonly numbering?: "continue" | "resend" | undefined;
  /** Labels of the session, merged into those it has: at most 32. @default none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** A batch is sent at this many records, 1 to 4,096. @default 256 */
  readonly flushRecords?: number | undefined;
  /** A batch is sent at this many bytes, 1 to 524,288. @default 524,288 */
  readonly flushBytes?: number | undefined;
  /** A batch is sent this long after its first record while others are in flight; at once if none is. @default 2 */
  readonly flushDelayMs?: number | undefined;
  /** Records appended and not yet acked; `append` says "full" at this many. @default 131,072 */
  readonly queueRecordsMax?: number | undefined;
  /** Their encoded bytes; at least 2 MiB. @default 33,554,432 */
  readonly queueBytesMax?: number | undefined;
  /** The call is half-closed after this long without work, and opened again by the next append. @default 1,000 */
  readonly idleCloseMs?: number | undefined;
  /** From connecting to the server's answer; then the attempt is repeated. @default 10,000 */
  readonly openTimeoutMs?: number | undefined;
}

/** Options with every default filled in. */
export type ResolvedStreamOptions = {
  readonly [Name in keyof StreamOptions]-?: Exclude<StreamOptions[Name], undefined>;
};

/** Throws InvalidArgumentError for what cannot be: that is a bug of the caller, not a matter of telemetry. */
export function resolveStreamOptions(options: StreamOptions, sessionIdDefault: string): ResolvedStreamOptions {
  return Object.freeze({
    sessionId: id(options.sessionId ?? sessionIdDefault, "sessionId"),
    streamId: id(options.streamId ?? randomUUID(), "streamId"),
    writerId: id(options.writerId ?? randomUUID(), "writerId"),
    ackedSeq: whole(options.ackedSeq ?? 0, "ackedSeq", 0, Number.MAX_SAFE_INTEGER),
    takeover: options.takeover ?? false,
    numbering: options.numbering ?? "continue",
    labels: Object.freeze({ ...options.labels }),
    flushRecords: whole(options.flushRecords ?? FLUSH_RECORDS_DEFAULT, "flushRecords", 1, BATCH_ENTRIES_MAX),
    flushBytes: whole(options.flushBytes ?? FLUSH_BYTES_DEFAULT, "flushBytes", 1, FLUSH_BYTES_DEFAULT),
    flushDelayMs: within(options.flushDelayMs ?? FLUSH_DELAY_MS_DEFAULT, "flushDelayMs", 0, 60_000),
    queueRecordsMax: whole(
      options.queueRecordsMax ?? QUEUE_RECORDS_MAX_DEFAULT,
      "queueRecordsMax",
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    queueBytesMax: whole(
      options.queueBytesMax ?? QUEUE_BYTES_MAX_DEFAULT,
      "queueBytesMax",
      2 * BATCH_BYTES_MAX,
      Number.MAX_SAFE_INTEGER,
    ),
    idleCloseMs: within(options.idleCloseMs ?? IDLE_CLOSE_MS_DEFAULT, "idleCloseMs", 0, 86_400_000),
    openTimeoutMs: within(options.openTimeoutMs ?? OPEN_TIMEOUT_MS_DEFAULT, "openTimeoutMs", 1, 600_000),
  });
}

function whole(value: number, name: string, min: number, max: number): number {
  if (!Number.isInteger(value)) throw outside(value, name, min, max);
  return within(value, name, min, max);
}

function within(value: number, name: string, min: number, max: number): number {
  if (!(value >= min && value <= max)) throw outside(value, name, min, max);
  return value;
}

function outside(value: number, name: string, min: number, max: number): InvalidArgumentError {
  return new InvalidArgumentError(`${name} must be between ${min} and ${max}, but is ${value}`, {
    code: "BAD_FIELD",
    retryable: false,
    grpcStatus: 3,
  });
}
