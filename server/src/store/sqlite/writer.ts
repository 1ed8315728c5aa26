/**
 * The one writer of the SQLite store; runs in a thread of its own. Every operation is one BEGIN IMMEDIATE transaction.
 */
import { workerData } from "node:worker_threads";
import { dayText, nowUs, timestampText } from "../../record/time.js";
import { admit, advance, countsOf } from "../admit.js";
import type { KeyRotation, KeyRow } from "../api-keys.js";
import type { ConfigRow } from "../config.js";
import { type Days, type ExpiryReport, stampDay } from "../expiry.js";
import type { Move } from "../pins.js";
import { ExpiryStamp, type Retention } from "../retention.js";
import type { Checkpoint, CheckpointOutcome } from "../rollups.js";
import type { Audit, OpenOutcome, OpenRequest, RunData, RunOutcome, SessionChange } from "../store.js";
import { SqliteKeys } from "./api-keys.js";
import { auditSqlite } from "./audit.js";
import { Connection } from "./connection.js";
import { Documents } from "./documents.js";
import { Expiry } from "./expire.js";
import { RunInsert } from "./insert.js";
import { migrate } from "./migrate.js";
import { RollupWriter } from "./rollups.js";
import { type SentRecords, type WantedRecord, wantedKey } from "./sent-records.js";
import { Sessions } from "./sessions.js";
import { SideRows } from "./side-rows.js";
import { Streams } from "./streams.js";
import { serveThread } from "./thread.js";

export interface WriterData {
  file: string;
  retention: Retention;
  rollupDays: number;
  deadLetterBytesMax: number;
}

class SqliteWriter {
  readonly sessions: Sessions;
  readonly documents: Documents;
  readonly expiry: Expiry;
  readonly keys: SqliteKeys;
  readonly #data: WriterData;
  readonly #connection: Connection;
  readonly #sideRows: SideRows;
  readonly #streams: Streams;
  #insert: RunInsert | undefined;
  #rollups: RollupWriter | undefined;
  #days: Days = { host: 0, database: 0, storing: 0 };

  constructor(data: WriterData) {
    this.#data = data;
    const connection = new Connection(data.file);
    this.#connection = connection;
    this.#sideRows = new SideRows(connection, {
      deadLetterBytesMax: data.deadLetterBytesMax,
      expiresOn: (namespace) => this.#stamp().ofLosses(namespace),
    });
    this.#streams = new Streams(connection, this.#sideRows);
    this.sessions = new Sessions(connection, this.#sideRows);
    this.documents = new Documents(connection);
    this.expiry = new Expiry(connection, this.#sideRows);
    this.keys = new SqliteKeys((sql, args) => connection.transaction(() => connection.run(sql, args)));
  }

  get started(): boolean {
    return this.#insert !== undefined;
  }

  start(): Audit {
    migrate(this.#connection);
    this.#days = this.expiry.advanceStoringDay();
    this.#insert = new RunInsert(this.#connection.db);
    return auditSqlite(this.#connection.db);
  }

  maintain(): boolean {
    this.#days = this.expiry.advanceStoringDay();
    this.sessions.markLost();
    return true;
  }

  confirmStoringDay(day: number): Days {
    this.#days = this.expiry.confirmStoringDay(day);
    return this.#days;
  }

  openAll(requests: readonly OpenRequest[]): OpenOutcome[] {
    return this.#connection.transaction(() => requests.map((request) => this.#streams.open(request)));
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
    return this.#connection.transaction(() => {
      const now = nowUs();
      const createdAt = timestampText(now);
      const stamp = this.#stamp();
      const outcomes = runs.map((run, index): RunOutcome => {
        const row = this.#streams.row(run.key);
        const admission = admit(run, row);
        if (admission.kind !== "admitted" || row === undefined) return admission as RunOutcome;
        const admitted = admission.run;
        const bodyOf = (seq: number): Uint8Array | null => {
          const body = bodies.get(wantedKey({ run: index, seq }));
          if (body === undefined) wanted.push({ run: index, seq });
          return body ?? null;
        };
        const refused = insert.insert(admitted, { createdAt, expiresOn: stamp.ofRecords(run.namespace) }, bodyOf);
        for (const gap of admitted.gaps) this.#sideRows.insertGap(run.key, run, gap, now);
        for (const each of [...admitted.rejected, ...refused]) this.#sideRows.insertDeadLetter(run, each, now);
        const next = advance(row, admitted, refused);
        if (next !== row) this.#streams.save(run.key, next);
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
    this.#rollups ??= new RollupWriter(this.#connection.db);
    const rollups = this.#rollups;
    const expiresOn = dayText(stampDay(this.#days) + this.#data.rollupDays);
    return this.#connection.transaction(() => checkpoints.map((checkpoint) => rollups.write(checkpoint, expiresOn)));
  }

  ping(): void {
    this.#connection.get("SELECT 1 AS one");
  }

  close(): void {
    this.#connection.close();
  }

  #stamp(): ExpiryStamp {
    return new ExpiryStamp(this.#data.retention, stampDay(this.#days));
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
  ping: () => started().ping(),
  close: () => writer?.close(),
  maintain: () => started().maintain(),

  openAll: (requests: OpenRequest[]) => started().openAll(requests),
  commit: (runs: RunData[], bodies: SentRecords) => started().commit(runs, bodies),
  writeRollups: (checkpoints: Checkpoint[]) => started().writeRollups(checkpoints),

  updateSession: (namespace: string, id: string, change: SessionChange) =>
    started().sessions.update(namespace, id, change),
  touchSessions: (sessions: { namespace: string; sessionId: string }[]) => started().sessions.touch(sessions),
  unpinned: (namespace: string, id: string) => started().sessions.unpinned(namespace, id),
  fenceSession: (namespace: string, id: string, abandonedBeforeUs?: number) =>
    started().sessions.fence(namespace, id, abandonedBeforeUs),
  deleteSessionSlice: (namespace: string, id: string) => started().sessions.deleteSlice(namespace, id),

  putState: (namespace: string, name: string, value: string, version: number | null) =>
    started().documents.putState(namespace, name, value, version),
  deleteState: (namespace: string, name: string, version: number | null) =>
    started().documents.deleteState(namespace, name, version),
  appendConfig: (row: ConfigRow) => started().documents.appendConfig(row),

  days: () => started().expiry.days(),
  confirmStoringDay: (day: number) => started().confirmStoringDay(day),
  expireSlice: (table: string, day: string) => started().expiry.deleteSlice(table, day),
  movePinSlice: (move: Move) => started().expiry.movePinSlice(move),
  giveBackSlice: () => started().expiry.giveBackSlice(),
  recordExpiry: (report: ExpiryReport) => started().expiry.record(report),

  insertKey: (row: KeyRow) => started().keys.insert(row),
  rotateKey: (namespace: string, id: string, rotation: KeyRotation) => started().keys.rotate(namespace, id, rotation),
  revokeKey: (namespace: string, id: string, now: number) => started().keys.revoke(namespace, id, now),
});
