/**
 * The one writer of the SQLite store; runs in a thread of its own. Every operation is one BEGIN IMMEDIATE transaction.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { GapCause } from "@tailkeep/proto";
import {
  DELETE_SLICE_ROWS,
  EXPIRY_RUNS_KEPT,
  LOST_AFTER_MS,
  SESSION_STREAMS_MAX,
  SQLITE_BUSY_TIMEOUT_MS,
} from "../../limits.js";
import type { RejectedEntry } from "../../record/batch.js";
import { TABLES } from "../../record/tables.js";
import { dayNumber, dayOfMs, dayText, nowUs, timestampText } from "../../record/time.js";
import { admit, advance, countsOf, type StreamRow } from "../admit.js";
import type { KeyRotation, KeyRow } from "../api-keys.js";
import type { AppendOutcome, ConfigRow } from "../config.js";
import type { ExpiryReport } from "../expiry.js";
import { nextKey, streamKey } from "../keys.js";
import { DELETING } from "../model.js";
import { refuseOtherSchema } from "../moved.js";
import { mergeLabels, openDecision } from "../open.js";
import { BEING_UNPINNED, type Move, pinState, UNPINNED } from "../pins.js";
import { ExpiryStamp, type Retention } from "../retention.js";
import { type Checkpoint, type CheckpointOutcome, ROLLUP_TABLES } from "../rollups.js";
import { bootstrapStatements, MIGRATIONS, rowsTable, STORED_COLUMNS } from "../schema.js";
import type { DeleteOutcome, PutOutcome } from "../state.js";
import type { Audit, OpenOutcome, OpenRequest, RunData, RunOutcome, SessionChange } from "../store.js";
import { SqliteKeys } from "./api-keys.js";
import { auditSqlite } from "./audit.js";
import { expireSlice, giveBackSlice, movePinSlice } from "./expire.js";
import { type FileLock, lockFile, lockOfServer } from "./file-lock.js";
import { RunInsert } from "./insert.js";
import { RollupWriter } from "./rollups.js";
import { type SentRecords, type WantedRecord, wantedKey } from "./sent-records.js";
import { serveThread } from "./thread.js";

export interface WriterData {
  file: string;
  retention: Retention;
  rollupDays: number;
  deadLetterBytesMax: number;
}

export interface DeletedSlice {
  /** Records that went. */
  records: number;
  /** Nothing of the session is left. */
  isLast: boolean;
}

type Row = Record<string, string | number | null>;

class SqliteWriter {
  readonly #data: WriterData;
  readonly #db: DatabaseSync;
  /** Held for life: SQLite's own file locks are released by any kind of death. */
  readonly #lock: FileLock;
  readonly #statements = new Map<string, StatementSync>();
  readonly #deadLetterBytes = new Map<string, number>();
  readonly keys = new SqliteKeys((sql, args) => this.#transaction(() => this.#run(sql, args)));
  #insert: RunInsert | undefined;
  #rollups: RollupWriter | undefined;
  #storingDay = 0;

  constructor(data: WriterData) {
    this.#data = data;
    this.#lock = lockFile(
      lockOfServer(data.file),
      `another server has ${data.file} open; end it, or give this one its own file with TAILKEEP_STORE`,
    );
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(data.file, { timeout: SQLITE_BUSY_TIMEOUT_MS });
      // Only a new file takes it: what expires can be given back. FULL: a commit is on disk when it returns. A larger page cache keeps the hot ends of the indexes in memory; a
      // checkpoint every 4,000 pages (16 MB) instead of every 1,000 writes a page that changed often only once.
      db.exec(
        "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; " +
          "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864",
      );
    } catch (error) {
      // Else the next try would take this one for another server.
      db?.close();
      this.#lock.release();
      throw error;
    }
    this.#db = db;
  }

  get started(): boolean {
    return this.#insert !== undefined;
  }

  start(): Audit {
    for (const statement of bootstrapStatements("sqlite")) this.#db.exec(statement);
    this.#transaction(() => this.#migrate());
    this.#advanceStoringDay();
    this.#insert = new RunInsert(this.#db);
    return auditSqlite(this.#db);
  }

  #migrate(): void {
    const applied = Number(
      this.#get("SELECT COALESCE(MAX(version), 0) AS version FROM schema_migrations")?.["version"],
    );
    refuseOtherSchema(applied, {
      hint: "tailkeep migrate has moved this installation to another database; name that one with TAILKEEP_STORE",
    });
    for (const migration of MIGRATIONS) {
      if (migration.version <= applied) continue;
      for (const statement of migration.statements("sqlite", dayOfMs(Date.now()))) this.#execOnce(statement);
      this.#run("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)", [
        migration.version,
        migration.name,
        timestampText(nowUs()),
      ]);
    }
  }

  /** A statement of a migration, which may have run before: what it makes is there then. */
  #execOnce(statement: string): void {
    try {
      this.#db.exec(statement);
    } catch (error) {
      if (!/duplicate column name|already exists/.test(String(error))) throw error;
    }
  }

  maintain(): boolean {
    this.#advanceStoringDay();
    this.#transaction(() =>
      this.#run(
        `UPDATE sessions SET state = 'lost', ended_at_us = last_seen_at_us
         WHERE state = 'running' AND last_seen_at_us < ?`,
        [nowUs() - LOST_AFTER_MS * 1_000],
      ),
    );
    return true;
  }

  /** As days since 1970. */
  get storingDay(): number {
    return this.#storingDay;
  }

  expireSlice(table: string, day: string): number {
    return this.#transaction(() => {
      if (table === "dead_letters") this.#deadLetterBytes.clear();
      return expireSlice(this.#db, table, day);
    });
  }

  movePinSlice(move: Move): number {
    return this.#transaction(() => movePinSlice(this.#db, move));
  }

  unpinned(namespace: string, sessionId: string): void {
    this.#transaction(() =>
      this.#run("UPDATE sessions SET pinned = ? WHERE namespace_id = ? AND session_id = ? AND pinned = ?", [
        UNPINNED,
        namespace,
        sessionId,
        BEING_UNPINNED,
      ]),
    );
  }

  giveBackSlice(): boolean {
    return giveBackSlice(this.#db);
  }

  recordExpiry(report: ExpiryReport): void {
    this.#transaction(() => {
      this.#run("INSERT INTO expiry_runs (ended_at_us, storing_day, report) VALUES (?, ?, ?)", [
        nowUs(),
        report.storingDay,
        JSON.stringify(report),
      ]);
      this.#run(
        `DELETE FROM expiry_runs WHERE ended_at_us NOT IN
           (SELECT ended_at_us FROM expiry_runs ORDER BY ended_at_us DESC LIMIT ${EXPIRY_RUNS_KEPT})`,
      );
    });
  }

  /** The storing day only moves forward, one day a run, so that a clock gone mad cannot expire everything at once. */
  #advanceStoringDay(): void {
    this.#transaction(() => {
      const today = dayOfMs(Date.now());
      const row = this.#get("SELECT day FROM storing_day WHERE id = 1");
      const day = row === undefined ? today : dayNumber(String(row["day"]));
      this.#storingDay = today > day ? day + 1 : day;
      this.#run("INSERT INTO storing_day (id, day) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET day = excluded.day", [
        dayText(this.#storingDay),
      ]);
    });
  }

  openAll(requests: readonly OpenRequest[]): OpenOutcome[] {
    return this.#transaction(() => requests.map((request) => this.#open(request)));
  }

  #open(request: OpenRequest): OpenOutcome {
    const now = nowUs();
    const owner = [request.namespace, request.sessionId];
    const session = this.#get("SELECT state FROM sessions WHERE namespace_id = ? AND session_id = ?", owner);
    if (session?.["state"] === DELETING) return { kind: "deleting" };
    const { key, row } = this.#findStream(request);
    const decision = openDecision(request, row);
    if (decision.kind === "fenced") return decision;
    if (row === undefined) {
      const streams = this.#get("SELECT COUNT(*) AS n FROM streams WHERE namespace_id = ? AND session_id = ?", owner);
      if (Number(streams?.["n"]) >= SESSION_STREAMS_MAX) return { kind: "tooManyStreams" };
    }
    this.#upsertSession(request, now);
    this.#run(
      `INSERT INTO streams (stream, namespace_id, session_id, stream_id, writer_id, epoch, committed_seq,
           ${STORED_COLUMNS.join(", ")}, rejected, gapped, opened_at_us)
         VALUES (?, ?, ?, ?, ?, 0, 0, ${STORED_COLUMNS.map(() => "0").join(", ")}, 0, 0, ?)
         ON CONFLICT (stream) DO NOTHING`,
      [key, request.namespace, request.sessionId, request.streamId, request.writerId, now],
    );
    this.#saveStream(key, decision.row);
    if (decision.regressed !== null) {
      this.#insertGap(key, request, { ...decision.regressed, type: 0, cause: GapCause.STORE_REGRESSED }, now);
    }
    return {
      kind: "opened",
      key,
      epoch: decision.row.epoch,
      committedSeq: decision.row.committedSeq,
      counts: countsOf(decision.row),
      regressed: decision.regressed,
    };
  }

  /**
   * One transaction, or none and the records that it must be called with again: those whose rows the database refuses,
   * and whose dead letters need what was sent. Not handed over every time, because it almost never happens.
   */
  commit(runs: readonly RunData[], bodies: SentRecords): RunOutcome[] | { wanted: WantedRecord[] } {
    const wanted: WantedRecord[] = [];
    try {
      return this.#commit(runs, bodies, wanted);
    } catch (error) {
      if (wanted.length > 0) return { wanted };
      throw error;
    }
  }

  #commit(runs: readonly RunData[], bodies: SentRecords, wanted: WantedRecord[]): RunOutcome[] {
    const insert = this.#insert;
    if (insert === undefined) throw new Error("the store is not started");
    return this.#transaction(() => {
      const now = nowUs();
      const createdAt = timestampText(now);
      const expiry = new ExpiryStamp(this.#data.retention, this.#storingDay);
      const outcomes = runs.map((run, index): RunOutcome => {
        const row = this.#streamRow(run.key);
        const admission = admit(run, row);
        if (admission.kind !== "admitted" || row === undefined) return admission as RunOutcome;
        const admitted = admission.run;
        const bodyOf = (seq: number): Uint8Array | null => {
          const body = bodies.get(wantedKey({ run: index, seq }));
          if (body === undefined) wanted.push({ run: index, seq });
          return body ?? null;
        };
        const refused = insert.insert(admitted, { createdAt, expiresOn: expiry.ofRecords(run.namespace) }, bodyOf);
        for (const gap of admitted.gaps) this.#insertGap(run.key, run, gap, now);
        for (const each of [...admitted.rejected, ...refused]) this.#insertDeadLetter(run, each, now);
        const next = advance(row, admitted, refused);
        if (next !== row) this.#saveStream(run.key, next);
        const rejected = [...run.rejected, ...refused];
        return {
          kind: "committed",
          committedSeq: next.committedSeq,
          counts: countsOf(next),
          alreadyUpTo: admission.alreadyUpTo,
          rejected,
        };
      });
      if (wanted.length > 0) throw new Error("rolled back, to be called again with the records that are wanted");
      return outcomes;
    });
  }

  writeRollups(checkpoints: readonly Checkpoint[]): CheckpointOutcome[] {
    this.#rollups ??= new RollupWriter(this.#db);
    const rollups = this.#rollups;
    const expiresOn = dayText(this.#storingDay + this.#data.rollupDays);
    return this.#transaction(() => checkpoints.map((checkpoint) => rollups.write(checkpoint, expiresOn)));
  }

  updateSession(namespace: string, sessionId: string, change: SessionChange): boolean {
    return this.#transaction(() => {
      const row = this.#get("SELECT * FROM sessions WHERE namespace_id = ? AND session_id = ?", [namespace, sessionId]);
      if (row === undefined || row["state"] === DELETING) return false;
      const state = change.state ?? String(row["state"]);
      const ended = state === "running" ? null : (row["ended_at_us"] ?? nowUs());
      this.#run(
        `UPDATE sessions SET name = ?, labels = ?, config = ?, state = ?, ended_at_us = ?, pinned = ?
         WHERE namespace_id = ? AND session_id = ?`,
        [
          change.name ?? (row["name"] as string),
          change.labels === undefined ? (row["labels"] as string) : JSON.stringify(change.labels),
          change.configJson ?? (row["config"] as string),
          state,
          ended,
          pinState(Number(row["pinned"]), change.pinned),
          namespace,
          sessionId,
        ],
      );
      return true;
    });
  }

  /** First step of a deletion: its streams go, and none is opened, so that no writer adds to it any more. */
  fenceSession(namespace: string, sessionId: string): boolean {
    return this.#transaction(() => {
      const args = [namespace, sessionId];
      this.#run("DELETE FROM streams WHERE namespace_id = ? AND session_id = ?", args);
      const mark = "UPDATE sessions SET state = ?, ended_at_us = ? WHERE namespace_id = ? AND session_id = ?";
      return this.#run(mark, [DELETING, nowUs(), ...args]) > 0;
    });
  }

  /** Some of a session's rows in a transaction that does not hold up ingest. */
  deleteSessionSlice(namespace: string, sessionId: string): DeletedSlice {
    return this.#transaction(() => {
      const args = [namespace, sessionId];
      // Says that the deletion goes on, and finds out if another one has ended it: the session may be a new one by now.
      const mark = "UPDATE sessions SET ended_at_us = ? WHERE namespace_id = ? AND session_id = ? AND state = ?";
      if (this.#run(mark, [nowUs(), ...args, DELETING]) === 0) return { records: 0, isLast: true };
      for (const name of [...ROLLUP_TABLES, ...TABLES.map(rowsTable)]) {
        const deleted = this.#run(
          `DELETE FROM ${name} WHERE rowid IN
             (SELECT rowid FROM ${name} WHERE namespace_id = ? AND session_id = ? LIMIT ${DELETE_SLICE_ROWS})`,
          args,
        );
        if (deleted > 0) return { records: ROLLUP_TABLES.includes(name) ? 0 : deleted, isLast: false };
      }
      for (const table of ["gaps", "dead_letters", "sessions"]) {
        this.#run(`DELETE FROM ${table} WHERE namespace_id = ? AND session_id = ?`, args);
      }
      this.#deadLetterBytes.clear();
      return { records: 0, isLast: true };
    });
  }

  touchSessions(sessions: readonly { namespace: string; sessionId: string }[]): void {
    this.#transaction(() => {
      const now = nowUs();
      for (const { namespace, sessionId } of sessions) {
        this.#run(
          `UPDATE sessions SET last_seen_at_us = ?, ended_at_us = CASE state WHEN 'lost' THEN NULL ELSE ended_at_us END,
             state = CASE state WHEN 'lost' THEN 'running' ELSE state END
           WHERE namespace_id = ? AND session_id = ? AND last_seen_at_us < ?`,
          [now, namespace, sessionId, now],
        );
      }
    });
  }

  putState(namespace: string, name: string, valueJson: string, expectedVersion: number | null): PutOutcome {
    return this.#transaction(() => {
      const row = this.#get("SELECT version FROM states WHERE namespace_id = ? AND name = ?", [namespace, name]);
      const found = Number(row?.["version"] ?? 0);
      if (expectedVersion !== null && expectedVersion !== found) return { kind: "mismatch", version: found };
      const now = nowUs();
      this.#run(
        `INSERT INTO states (namespace_id, name, version, value, updated_at_us) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (namespace_id, name)
         DO UPDATE SET version = excluded.version, value = excluded.value, updated_at_us = excluded.updated_at_us`,
        [namespace, name, found + 1, valueJson, now],
      );
      return { kind: "written", version: found + 1, updatedAtUs: now };
    });
  }

  deleteState(namespace: string, name: string, expectedVersion: number | null): DeleteOutcome {
    return this.#transaction(() => {
      const row = this.#get("SELECT version FROM states WHERE namespace_id = ? AND name = ?", [namespace, name]);
      if (row === undefined) return { kind: "missing" };
      const version = Number(row["version"]);
      if (expectedVersion !== null && expectedVersion !== version) return { kind: "mismatch", version };
      this.#run("DELETE FROM states WHERE namespace_id = ? AND name = ?", [namespace, name]);
      return { kind: "deleted" };
    });
  }

  appendConfig(row: ConfigRow): AppendOutcome {
    return this.#transaction(() => {
      const newest = this.#get("SELECT COALESCE(MAX(version), 0) AS version FROM config_changes");
      const version = Number(newest?.["version"]);
      if (version !== row.version - 1) return { kind: "mismatch", version };
      this.#run(
        `INSERT INTO config_changes (version, created_at_us, author, comment, changes, overrides)
         VALUES (?, ?, ?, ?, ?, ?)`,
        [row.version, row.createdAtUs, row.author, row.comment, row.changesJson, row.overridesJson],
      );
      return { kind: "written" };
    });
  }

  ping(): void {
    this.#get("SELECT 1 AS one");
  }

  close(): void {
    this.#db.exec("PRAGMA optimize");
    this.#db.close();
    this.#lock.release();
  }

  /** The stream's key and row; a key that another identity has is passed over. */
  #findStream(request: OpenRequest): { key: bigint; row: StreamRow | undefined } {
    for (let key = streamKey(request); ; key = nextKey(key)) {
      const owner = this.#get("SELECT namespace_id, session_id, stream_id FROM streams WHERE stream = ?", [key]);
      if (owner === undefined) return { key, row: undefined };
      const same =
        owner["namespace_id"] === request.namespace &&
        owner["session_id"] === request.sessionId &&
        owner["stream_id"] === request.streamId;
      if (same) return { key, row: this.#streamRow(key) };
    }
  }

  #streamRow(key: bigint): StreamRow | undefined {
    const row = this.#get(
      `SELECT writer_id, epoch, committed_seq, ${STORED_COLUMNS.join(", ")}, rejected, gapped
       FROM streams WHERE stream = ?`,
      [key],
    );
    if (row === undefined) return undefined;
    return {
      writerId: String(row["writer_id"]),
      epoch: Number(row["epoch"]),
      committedSeq: Number(row["committed_seq"]),
      storedByTable: STORED_COLUMNS.map((column) => Number(row[column])),
      rejected: Number(row["rejected"]),
      gapped: Number(row["gapped"]),
    };
  }

  #saveStream(key: bigint, row: StreamRow): void {
    this.#run(
      `UPDATE streams SET writer_id = ?, epoch = ?, committed_seq = ?,
         ${STORED_COLUMNS.map((column) => `${column} = ?`).join(", ")}, rejected = ?, gapped = ? WHERE stream = ?`,
      [row.writerId, row.epoch, row.committedSeq, ...row.storedByTable, row.rejected, row.gapped, key],
    );
  }

  #upsertSession(request: OpenRequest, now: number): void {
    const owner = [request.namespace, request.sessionId];
    const row = this.#get("SELECT labels FROM sessions WHERE namespace_id = ? AND session_id = ?", owner);
    if (row === undefined) {
      this.#run(
        `INSERT INTO sessions (namespace_id, session_id, name, labels, config, state, started_at_us, last_seen_at_us)
         VALUES (?, ?, '', ?, '', 'running', ?, ?)`,
        [...owner, mergeLabels("{}", request.labels), now, now],
      );
    } else {
      this.#run(
        `UPDATE sessions SET labels = ?, state = 'running', ended_at_us = NULL, last_seen_at_us = ?
         WHERE namespace_id = ? AND session_id = ?`,
        [mergeLabels(String(row["labels"]), request.labels), now, ...owner],
      );
    }
  }

  #insertGap(
    key: bigint,
    owner: { namespace: string; sessionId: string },
    gap: { firstSeq: number; lastSeq: number; type: number; cause: number },
    now: number,
  ): void {
    this.#run(
      `INSERT INTO gaps (stream, first_seq, last_seq, namespace_id, session_id, type, cause, created_at_us, expires_on)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        key,
        gap.firstSeq,
        gap.lastSeq,
        owner.namespace,
        owner.sessionId,
        gap.type,
        gap.cause,
        now,
        this.#expiryOfLosses(owner.namespace),
      ],
    );
  }

  #insertDeadLetter(run: RunData, entry: RejectedEntry, now: number): void {
    this.#run(
      `INSERT INTO dead_letters (stream, seq, namespace_id, session_id, type, reason, field, message, body,
         created_at_us, expires_on) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        run.key,
        entry.seq,
        run.namespace,
        run.sessionId,
        entry.type,
        entry.reason,
        entry.field,
        entry.message,
        this.#bodyWithinQuota(run.namespace, entry.body),
        now,
        this.#expiryOfLosses(run.namespace),
      ],
    );
  }

  #bodyWithinQuota(namespace: string, body: Uint8Array | null): Uint8Array | null {
    if (body === null) return null;
    let used = this.#deadLetterBytes.get(namespace);
    if (used === undefined) {
      const sum = "SELECT COALESCE(SUM(LENGTH(body)), 0) AS bytes FROM dead_letters WHERE namespace_id = ?";
      used = Number(this.#get(sum, [namespace])?.["bytes"]);
    }
    const kept = used + body.length <= this.#data.deadLetterBytesMax;
    this.#deadLetterBytes.set(namespace, kept ? used + body.length : used);
    return kept ? body : null;
  }

  #expiryOfLosses(namespace: string): string {
    return new ExpiryStamp(this.#data.retention, this.#storingDay).ofLosses(namespace);
  }

  #transaction<Result>(work: () => Result): Result {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      // What was counted inside a transaction that did not happen is counted again from the table.
      this.#deadLetterBytes.clear();
      throw error;
    }
  }

  #get(sql: string, args: (string | number | bigint | null)[] = []): Row | undefined {
    return this.#statement(sql).get(...args) as Row | undefined;
  }

  #run(sql: string, args: (string | number | bigint | null | Uint8Array)[] = []): number {
    return Number(this.#statement(sql).run(...args).changes);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

// Opened by the first call, so that an error in it is an answer and not the end of the thread.
let writer: SqliteWriter | undefined;
const current = (): SqliteWriter => {
  writer ??= new SqliteWriter(workerData as WriterData);
  return writer;
};

/** A thread that takes the place of one that died is asked to start by nobody. */
const started = (): SqliteWriter => {
  const self = current();
  if (!self.started) self.start();
  return self;
};

serveThread({
  start: () => current().start(),
  maintain: () => started().maintain(),
  openAll: (requests: OpenRequest[]) => started().openAll(requests),
  commit: (runs: RunData[], bodies: SentRecords) => started().commit(runs, bodies),
  updateSession: (namespace: string, id: string, change: SessionChange) =>
    started().updateSession(namespace, id, change),
  fenceSession: (namespace: string, id: string) => started().fenceSession(namespace, id),
  deleteSessionSlice: (namespace: string, id: string) => started().deleteSessionSlice(namespace, id),
  writeRollups: (checkpoints: Checkpoint[]) => started().writeRollups(checkpoints),
  touchSessions: (sessions: { namespace: string; sessionId: string }[]) => started().touchSessions(sessions),
  putState: (namespace: string, name: string, value: string, version: number | null) =>
    started().putState(namespace, name, value, version),
  deleteState: (namespace: string, name: string, version: number | null) =>
    started().deleteState(namespace, name, version),
  appendConfig: (row: ConfigRow) => started().appendConfig(row),
  storingDay: () => started().storingDay,
  expireSlice: (table: string, day: string) => started().expireSlice(table, day),
  movePinSlice: (move: Move) => started().movePinSlice(move),
  unpinned: (namespace: string, id: string) => started().unpinned(namespace, id),
  giveBackSlice: () => started().giveBackSlice(),
  recordExpiry: (report: ExpiryReport) => started().recordExpiry(report),
  insertKey: (row: KeyRow) => started().keys.insert(row),
  rotateKey: (namespace: string, id: string, rotation: KeyRotation) => started().keys.rotate(namespace, id, rotation),
  revokeKey: (namespace: string, id: string, now: number) => started().keys.revoke(namespace, id, now),
  ping: () => started().ping(),
  close: () => writer?.close(),
});
