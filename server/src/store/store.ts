/**
 * What the rest of the server knows of a database: one interface over SQLite and MySQL, with capabilities by name.
 *
 * Writing has two operations, `openStream` and `commit`; both follow rules that hold on every store:
 * a stream's row is locked first; the watermark (committed_seq) decides what is new; rows, gaps, dead letters and the
 * watermark go into one transaction. Nothing else gives exactly-once.
 */
import type { GapEntry, RejectedEntry, Rows } from "../record/batch.js";
import type { KeyStore } from "./api-keys.js";
import type { ConfigStore } from "./config.js";
import type { Days, ExpireOptions, ExpiryReport } from "./expiry.js";
import type { SessionStateName, StreamCounts, StreamIdentity } from "./model.js";
import type { Reads } from "./reads/reads.js";
import type { Retention } from "./retention.js";
import type { RollupStore } from "./rollups.js";
import type { StateStore } from "./state.js";

export interface OpenRequest extends StreamIdentity {
  writerId: string;
  /** Highest number the writer ever saw acked. */
  ackedSeq: number;
  takeover: boolean;
  labels: Record<string, string>;
  /** `open` begins a new epoch and fences older calls; `attach` joins the current one (unary writes). */
  mode: "open" | "attach";
}

export type OpenOutcome =
  | {
      kind: "opened";
      key: bigint;
      epoch: number;
      committedSeq: number;
      counts: StreamCounts;
      /** The range that the database had forgotten, now stored as a gap; null where there is none. */
      regressed: { firstSeq: number; lastSeq: number } | null;
      /** Tells its session from one of the same id that was deleted. */
      sessionStartedAtUs: number;
    }
  | { kind: "fenced"; writerId: string }
  | { kind: "tooManyStreams" }
  /** Its session is being deleted; afterwards it may be opened again. */
  | { kind: "deleting" };

/** A contiguous piece of one stream, from one or more batches, as it can be handed to a thread. */
export interface RunData {
  key: bigint;
  namespace: string;
  sessionId: string;
  writerId: string;
  epoch: number;
  firstSeq: number;
  lastSeq: number;
  /** By table index, rows in sequence order. */
  rows: (Pick<Rows, "seqs" | "timesUs" | "nonfinite" | "values"> | undefined)[];
  gaps: GapEntry[];
  rejected: RejectedEntry[];
}

export interface Run extends RunData {
  /** The record as it was sent, for the dead letter of a row that the store itself refuses; null where it is too large. */
  bodyOf(seq: number): Uint8Array | null;
}

export type RunOutcome =
  | {
      kind: "committed";
      committedSeq: number;
      counts: StreamCounts;
      /** Numbers up to here were committed by an earlier attempt or call. */
      alreadyUpTo: number;
      /** Rejected records of this run, those that the store itself refused included. */
      rejected: RejectedEntry[];
    }
  /** Another writer has the stream, or nobody: its session was deleted. */
  | { kind: "fenced"; writerId?: string }
  /** The same writer opened the stream again. */
  | { kind: "superseded" }
  | { kind: "hole"; expectedSeq: number }
  /** Broken invariant, such as a row above the watermark that exists already. */
  | { kind: "broken"; message: string };

export interface Capabilities {
  /** Several servers may write to it at the same time, so a cached answer must be checked against it. */
  readonly sharedByServers: boolean;
  /** Transactions that may be under way at once. */
  readonly lanes: number;
}

export interface AuditFinding {
  level: "ok" | "warning" | "error";
  /** What was looked at: `journal_mode`, `innodb_flush_log_at_trx_commit`. */
  setting: string;
  found: string;
  /** What it means and what to do; empty where all is well. */
  advice: string;
}

export interface Audit {
  /** "SQLite 3.53.4", "MariaDB 10.11.14". */
  engine: string;
  /** False where a commit does not survive a power loss. */
  durable: boolean;
  findings: AuditFinding[];
}

export interface Store {
  readonly capabilities: Capabilities;
  readonly reads: Reads;
  readonly state: StateStore;
  readonly config: ConfigStore;
  readonly retention: Retention;
  readonly keys: KeyStore;
  readonly rollups: RollupStore;
  /** Connects, migrates, audits; `maintain` is its caller's. @throws StoreError, retryable or not */
  start(): Promise<Audit>;
  openStream(request: OpenRequest): Promise<OpenOutcome>;
  /** One transaction. Outcomes stand in the order of `runs`. @throws StoreError: the outcome is unknown or nothing. */
  commit(runs: readonly Run[]): Promise<RunOutcome[]>;
  /** False where there is no such session. */
  updateSession(namespace: string, sessionId: string, change: SessionChange): Promise<boolean>;
  /**
   * Number of records deleted, or what stands in the way. The session's streams go first, and no stream of it is opened
   * until its last row is gone; what a crash leaves is finished by `maintain`.
   *
   * @param abandonedBeforeUs only if its deletion began earlier and nobody has gone on with it since
   */
  deleteSession(namespace: string, sessionId: string, abandonedBeforeUs?: number): Promise<number | "missing">;
  /** Keeps sessions that are being written from looking lost. */
  touchSessions(sessions: readonly { namespace: string; sessionId: string }[]): Promise<void>;
  /**
   * One look after the storing day, partitions, lost sessions and abandoned deletions; false where another server holds
   * the lease. May take long; begins nothing new once aborted. @throws StoreError: the first failure, after all the rest
   */
  maintain(signal?: AbortSignal): Promise<boolean>;
  /** Removes what has expired, or only counts it; undefined where another server holds the lease. @throws StoreError */
  expire(options: ExpireOptions): Promise<ExpiryReport | undefined>;
  /** Sets the storing day to the one that an operator says it is, unless a clock says otherwise; returns what is then. */
  confirmStoringDay(day: number): Promise<Days>;
  /** A cheap round trip on all that serves. @throws StoreError */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface SessionChange {
  name?: string | undefined;
  labels?: Record<string, string> | undefined;
  configJson?: string | undefined;
  state?: SessionStateName | undefined;
  /** Whether its rows never expire. */
  pinned?: boolean | undefined;
}
