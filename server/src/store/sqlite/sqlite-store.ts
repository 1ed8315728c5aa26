/** The embedded store: SQLite in a file, one writing and one reading thread. The default. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../../base/clock.js";
import { EXPIRY_REST_BUSY, EXPIRY_REST_IDLE, READ_QUEUE_MAX, SQLITE_LANES } from "../../limits.js";
import { dayText, nowUs } from "../../record/time.js";
import type { KeyStore } from "../api-keys.js";
import type { AppendOutcome, ConfigStore } from "../config.js";
import { finishDeletions } from "../deletions.js";
import { StoreError } from "../errors.js";
import {
  type Days,
  EXPIRING_TABLES,
  type ExpiredTable,
  type ExpireOptions,
  type ExpiryReport,
  heldBecause,
  inSlices,
} from "../expiry.js";
import { settlePins } from "../pins.js";
import { queryBuilder } from "../reads/database.js";
import { Reads } from "../reads/reads.js";
import { daysInNamespace, expiryDays, type Retention } from "../retention.js";
import type { CheckpointOutcome, RollupStore } from "../rollups.js";
import type { DeleteOutcome, PutOutcome, StateStore } from "../state.js";
import type { Audit, Capabilities, OpenOutcome, OpenRequest, Run, RunOutcome, SessionChange, Store } from "../store.js";
import { type WantedRecord, wantedKey } from "./sent-records.js";
import type { DeletedSlice } from "./sessions.js";
import { Thread } from "./thread.js";
import type { WriterData } from "./writer.js";

export interface SqliteOptions {
  file: string;
  retention: Retention;
  /** Days that rollups are kept. */
  rollupDays: number;
  deadLetterBytesMax: number;
}

interface WaitingOpen {
  request: OpenRequest;
  resolve(outcome: OpenOutcome): void;
  reject(error: unknown): void;
}

/** About 5 ms of the writer's time. */
const OPENS_PER_TRANSACTION = 128;

export class SqliteStore implements Store {
  readonly capabilities: Capabilities = { sharedByServers: false, lanes: SQLITE_LANES };
  readonly retention: Retention;
  readonly reads: Reads;
  readonly state: StateStore;
  readonly config: ConfigStore;
  readonly keys: KeyStore;
  readonly rollups: RollupStore;
  readonly #rollupDays: number;
  readonly #writer: Thread;
  readonly #reader: Thread;
  readonly #opening: WaitingOpen[] = [];
  #openUnderWay = false;

  constructor(options: SqliteOptions) {
    this.retention = options.retention;
    this.#rollupDays = options.rollupDays;
    mkdirSync(dirname(options.file), { recursive: true });
    this.#writer = new Thread(new URL("./writer.js", import.meta.url), options satisfies WriterData);
    this.#reader = new Thread(new URL("./reader.js", import.meta.url), { file: options.file });
    this.reads = new Reads(queryBuilder("sqlite"), (sql, parameters) => this.#read(sql, parameters), {
      hintsIndexes: false,
      keyBlocks: true,
    });
    this.config = { append: (row) => this.#writer.call<AppendOutcome>("appendConfig", row) };
    this.keys = {
      insert: (...args) => this.#writer.call<void>("insertKey", ...args),
      rotate: (...args) => this.#writer.call<boolean>("rotateKey", ...args),
      revoke: (...args) => this.#writer.call<boolean>("revokeKey", ...args),
    };
    this.rollups = {
      write: (checkpoints) => this.#writer.call<CheckpointOutcome[]>("writeRollups", checkpoints),
    };
    this.state = {
      put: (...args) => this.#writer.call<PutOutcome>("putState", ...args),
      delete: (...args) => this.#writer.call<DeleteOutcome>("deleteState", ...args),
    };
  }

  start(): Promise<Audit> {
    return this.#writer.call<Audit>("start");
  }

  /** Opens that come while others are on their way share one transaction: a thousand reconnecting trainers, one sync. */
  openStream(request: OpenRequest): Promise<OpenOutcome> {
    return new Promise((resolve, reject) => {
      this.#opening.push({ request, resolve, reject });
      if (!this.#openUnderWay) void this.#openAll();
    });
  }

  async #openAll(): Promise<void> {
    this.#openUnderWay = true;
    while (this.#opening.length > 0) {
      const group = this.#opening.splice(0, OPENS_PER_TRANSACTION);
      try {
        const requests = group.map(({ request }) => request);
        const outcomes = await this.#writer.call<OpenOutcome[]>("openAll", requests);
        for (const [at, open] of group.entries()) open.resolve(outcomes[at] as OpenOutcome);
      } catch (error) {
        for (const open of group) open.reject(error);
      }
    }
    this.#openUnderWay = false;
  }

  async commit(runs: readonly Run[]): Promise<RunOutcome[]> {
    const bodies = new Map<string, Uint8Array | null>();
    // Functions cannot be handed to a thread.
    const data = runs.map((run) => ({ ...run, bodyOf: undefined }));
    for (;;) {
      const answer = await this.#writer.call<RunOutcome[] | { wanted: WantedRecord[] }>("commit", data, bodies);
      if (!("wanted" in answer)) return answer;
      for (const wanted of answer.wanted) {
        bodies.set(wantedKey(wanted), runs[wanted.run]?.bodyOf(wanted.seq) ?? null);
      }
    }
  }

  updateSession(namespace: string, sessionId: string, change: SessionChange): Promise<boolean> {
    return this.#writer.call<boolean>("updateSession", namespace, sessionId, change);
  }

  async deleteSession(namespace: string, sessionId: string, abandonedBeforeUs?: number): Promise<number | "missing"> {
    if (!(await this.#writer.call<boolean>("fenceSession", namespace, sessionId, abandonedBeforeUs))) return "missing";
    let deleted = 0;
    for (;;) {
      const slice = await this.#writer.call<DeletedSlice>("deleteSessionSlice", namespace, sessionId);
      deleted += slice.records;
      if (slice.isLast) return deleted;
    }
  }

  touchSessions(sessions: readonly { namespace: string; sessionId: string }[]): Promise<void> {
    return this.#writer.call<void>("touchSessions", sessions);
  }

  async maintain(signal?: AbortSignal): Promise<boolean> {
    const held = await this.#writer.call<boolean>("maintain");
    await finishDeletions(this, nowUs(), signal);
    return held;
  }

  async expire({ dryRun, signal }: ExpireOptions): Promise<ExpiryReport> {
    const days = await this.#writer.call<Days>("days");
    const held = heldBecause(days);
    const day = dayText(days.storing);
    const tables: ExpiredTable[] = [];
    for (const table of EXPIRING_TABLES) {
      const rows = dryRun || held !== undefined ? await this.#countExpired(table, day) : 0;
      if (rows > 0) tables.push({ table, rows });
    }
    const report: ExpiryReport = { storingDay: day, heldBecause: held, tables };
    if (dryRun || held !== undefined) return report;
    await settlePins(
      await this.reads.pins(),
      days,
      (namespace) => expiryDays(daysInNamespace(this.retention, namespace), this.#rollupDays),
      {
        move: async (move) => void (await this.#changeInSlices(signal, "movePinSlice", move)),
        unpinned: ({ namespace, sessionId }) => this.#writer.call<void>("unpinned", namespace, sessionId),
      },
      signal,
    );
    for (const table of EXPIRING_TABLES) {
      const rows = await this.#changeInSlices(signal, "expireSlice", table, day);
      if (rows > 0) tables.push({ table, rows });
    }
    if (tables.length === 0) return report;
    await this.#changeInSlices(signal, "giveBackSlice");
    await this.#writer.call<void>("recordExpiry", report);
    return report;
  }

  /** Repeats an operation until it changes nothing, with rests; returns how much it changed. */
  async #changeInSlices(signal: AbortSignal | undefined, op: string, ...args: unknown[]): Promise<number> {
    let changed = 0;
    const rest = () => (this.#writer.waiting > 0 ? EXPIRY_REST_BUSY : EXPIRY_REST_IDLE);
    const slice = async () => {
      const { result, workedMs } = await this.#writer.timed<number>(op, ...args);
      changed += result;
      return { isLast: result === 0, workedMs };
    };
    await inSlices(systemClock, rest, slice, signal);
    return changed;
  }

  async #countExpired(table: string, day: string): Promise<number> {
    const [row] = await this.#read(`SELECT COUNT(*) AS n FROM ${table} WHERE expires_on < ?`, [day]);
    return Number(row?.["n"]);
  }

  confirmStoringDay(day: number): Promise<Days> {
    return this.#writer.call<Days>("confirmStoringDay", day);
  }

  async ping(): Promise<void> {
    await Promise.all([this.#writer.call("ping"), this.#reader.call("ping")]);
  }

  async close(): Promise<void> {
    await this.#reader.end();
    await this.#writer.end();
  }

  #read(sql: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]> {
    if (this.#reader.waiting >= READ_QUEUE_MAX) {
      return Promise.reject(
        new StoreError("contention", `${READ_QUEUE_MAX} reads are waiting already`, "READ_QUEUE_FULL"),
      );
    }
    return this.#reader.call("all", sql, parameters);
  }
}
