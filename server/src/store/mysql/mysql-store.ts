/** The store on MySQL or MariaDB. */
import { randomUUID } from "node:crypto";
import { type Clock, systemClock } from "../../base/clock.js";
import type { MysqlTarget } from "../../base/mysql-url.js";
import { PARTITIONS_STAMPED_DAYS_MAX, RETRY_DELAY_MS_FIRST } from "../../limits.js";
import type { RejectedEntry } from "../../record/batch.js";
import { TABLES } from "../../record/tables.js";
import { dayText, timestampText } from "../../record/time.js";
import { admit, advance, countsOf, type StreamRow } from "../admit.js";
import type { KeyStore } from "../api-keys.js";
import type { ConfigStore } from "../config.js";
import { finishDeletions } from "../deletions.js";
import { StoreError } from "../errors.js";
import { type Days, EXPIRING_TABLES, type ExpireOptions, type ExpiryReport, heldBecause, stampDay } from "../expiry.js";
import { settlePins } from "../pins.js";
import { queryBuilder } from "../reads/database.js";
import { Reads } from "../reads/reads.js";
import { daysInNamespace, ExpiryStamp, expiryDays, longestDays, type Retention } from "../retention.js";
import type { RollupStore } from "../rollups.js";
import type { StateStore } from "../state.js";
import type { Audit, Capabilities, OpenOutcome, OpenRequest, Run, RunOutcome, SessionChange, Store } from "../store.js";
import { MysqlKeys } from "./api-keys.js";
import { auditMysql } from "./audit.js";
import { MysqlConfig } from "./config.js";
import { ReadPool, type Session } from "./connection.js";
import { pingError } from "./errors.js";
import {
  countExpired,
  deleteExpired,
  dropPartitions,
  duePartitions,
  pinWork,
  recordExpiry,
  rowsByTable,
} from "./expire.js";
import { insertRows } from "./insert.js";
import { Lanes } from "./lane.js";
import { textLiteral } from "./literal.js";
import { addPartitions, advanceStoringDay, confirmStoringDay, readDays, takeMaintenance } from "./maintain.js";
import { migrate } from "./migrate.js";
import { openStream } from "./open-stream.js";
import { MysqlRollups } from "./rollups.js";
import { MysqlSessions } from "./sessions.js";
import { insertDeadLetters, insertGaps, type OwnedGap, type OwnedLetter } from "./side-rows.js";
import { MysqlStates } from "./states.js";
import { lockStreams, type StreamUpdate, saveStreams } from "./streams.js";

export interface MysqlOptions {
  target: MysqlTarget;
  /** Transactions in flight. */
  lanes: number;
  retention: Retention;
  /** Days that rollups are kept. */
  rollupDays: number;
  deadLetterBytesMax: number;
  clock?: Clock;
}

/** How often a small transaction (open, update) gives way to others before it says so. */
const CONTENTION_TRIES = 8;

export class MysqlStore implements Store {
  readonly capabilities: Capabilities;
  readonly retention: Retention;
  readonly reads: Reads;
  readonly state: StateStore;
  readonly config: ConfigStore;
  readonly keys: KeyStore;
  readonly rollups: RollupStore;
  readonly #options: MysqlOptions;
  readonly #clock: Clock;
  /** Commits have lanes of their own, so that opens and updates never wait behind a full pipeline. */
  readonly #commitLanes: Lanes;
  readonly #sideLanes: Lanes;
  readonly #readPool: ReadPool;
  readonly #sessions: MysqlSessions;
  readonly #holder = randomUUID();
  readonly #deadLetterBytes = new Map<string, number>();
  #days: Days = { host: 0, database: 0, storing: 0 };

  constructor(options: MysqlOptions) {
    this.#options = options;
    this.retention = options.retention;
    this.#clock = options.clock ?? systemClock;
    this.capabilities = { sharedByServers: true, lanes: options.lanes };
    this.#commitLanes = new Lanes(options.target, options.lanes);
    this.#sideLanes = new Lanes(options.target, 2);
    this.#readPool = new ReadPool(options.target);
    this.reads = new Reads(queryBuilder("mysql"), (sql, values) => this.#readPool.query(sql, values), {
      hintsIndexes: true,
      keyBlocks: false,
    });
    this.#sessions = new MysqlSessions((work) => this.#patiently(work), this.#clock);
    this.config = new MysqlConfig((work) => this.#patiently(work));
    this.keys = new MysqlKeys((work) => this.#patiently(work));
    this.state = new MysqlStates((work) => this.#patiently(work), this.#clock);
    this.rollups = new MysqlRollups(
      (work) => this.#patiently(work),
      () => dayText(stampDay(this.#days) + this.#options.rollupDays),
    );
  }

  async start(): Promise<Audit> {
    await migrate(this.#sideLanes, this.#holder, this.#clock);
    this.#days = await readDays(this.#sideLanes);
    return auditMysql(this.#sideLanes);
  }

  /** Each part for itself: somebody's long SELECT, which keeps a table from being altered, keeps nothing else undone. */
  async maintain(signal?: AbortSignal): Promise<boolean> {
    if (!(await takeMaintenance(this.#sideLanes, this.#holder))) {
      this.#days = await readDays(this.#sideLanes);
      return false;
    }
    this.#days = await advanceStoringDay(this.#sideLanes);
    const { storing } = this.#days;
    const ahead = Math.min(stampDay(this.#days) - storing, PARTITIONS_STAMPED_DAYS_MAX);
    const longest = longestDays(this.retention) + ahead;
    const parts = [
      () => this.#sessions.markLost(),
      ...TABLES.map((table) => () => addPartitions(this.#sideLanes, table, storing, longest)),
      () => finishDeletions(this, this.#clock.nowUs(), signal),
    ];
    const failures: unknown[] = [];
    for (const part of parts) {
      if (signal?.aborted) break;
      await part().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    return true;
  }

  openStream(request: OpenRequest): Promise<OpenOutcome> {
    const expiresOn = (namespace: string) => this.#expiryOfLosses(namespace);
    return this.#patiently((session) => openStream(session, request, this.#clock.nowUs(), expiresOn));
  }

  async commit(runs: readonly Run[]): Promise<RunOutcome[]> {
    const sorted = [...runs].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    try {
      const outcomes = await this.#commitLanes.transaction((session) => this.#commitIn(session, sorted));
      return runs.map((run) => outcomes.get(run) as RunOutcome);
    } catch (error) {
      // What was counted in a transaction that did not happen is counted again from the table.
      this.#deadLetterBytes.clear();
      this.#renewReadsAfter(error);
      throw error;
    }
  }

  async #commitIn(session: Session, runs: readonly Run[]): Promise<Map<Run, RunOutcome>> {
    const outcomes = new Map<Run, RunOutcome>();
    const rows = await lockStreams(
      session,
      runs.map((run) => run.key),
    );
    const admitted: { run: Run; original: Run; row: StreamRow; alreadyUpTo: number }[] = [];
    for (const run of runs) {
      const row = rows.get(run.key);
      const admission = admit(run, row);
      if (admission.kind === "admitted" && row !== undefined) {
        admitted.push({ run: admission.run, original: run, row, alreadyUpTo: admission.alreadyUpTo });
      } else outcomes.set(run, admission as RunOutcome);
    }
    const now = this.#clock.nowUs();
    const expiry = new ExpiryStamp(this.retention, stampDay(this.#days));
    const refused = await insertRows(
      session,
      admitted.map((each) => each.run),
      {
        createdAt: timestampText(now),
        expiresOn: (namespace) => expiry.ofRecords(namespace),
      },
    );
    const gaps: OwnedGap[] = [];
    const letters: OwnedLetter[] = [];
    const updates: StreamUpdate[] = [];
    for (const { run, original, row, alreadyUpTo } of admitted) {
      const own = refused.filter((each) => each.run === run).map((each) => each.entry);
      for (const gap of run.gaps) gaps.push({ owner: run, gap });
      for (const entry of [...run.rejected, ...own]) {
        letters.push({ owner: run, entry, body: await this.#bodyWithinQuota(session, run.namespace, entry) });
      }
      const next = advance(row, run, own);
      if (next !== row) updates.push({ key: run.key, namespace: run.namespace, sessionId: run.sessionId, row: next });
      outcomes.set(original, {
        kind: "committed",
        committedSeq: next.committedSeq,
        counts: countsOf(next),
        alreadyUpTo,
        rejected: [...original.rejected, ...own],
      });
    }
    const day = (namespace: string) => this.#expiryOfLosses(namespace);
    if (gaps.length > 0) await insertGaps(session, gaps, now, day);
    if (letters.length > 0) await insertDeadLetters(session, letters, now, day);
    await saveStreams(session, updates);
    return outcomes;
  }

  updateSession(namespace: string, sessionId: string, change: SessionChange): Promise<boolean> {
    return this.#sessions.update(namespace, sessionId, change);
  }

  async deleteSession(namespace: string, sessionId: string, abandonedBeforeUs?: number): Promise<number | "missing"> {
    const deleted = await this.#sessions.delete(namespace, sessionId, abandonedBeforeUs);
    this.#deadLetterBytes.delete(namespace);
    return deleted;
  }

  touchSessions(sessions: readonly { namespace: string; sessionId: string }[]): Promise<void> {
    return this.#sessions.touch(sessions);
  }

  async expire({ dryRun, signal }: ExpireOptions): Promise<ExpiryReport | undefined> {
    const lanes = this.#sideLanes;
    if (!dryRun && !(await takeMaintenance(lanes, this.#holder))) return undefined;
    const days = await readDays(lanes);
    const { storing } = days;
    const due = await duePartitions(lanes, storing);
    const tables = rowsByTable(due);
    const report: ExpiryReport = { storingDay: dayText(storing), heldBecause: heldBecause(days), tables };
    const goes = !dryRun && report.heldBecause === undefined;
    if (goes) {
      await settlePins(
        await this.reads.pins(),
        days,
        (namespace) => expiryDays(daysInNamespace(this.retention, namespace), this.#options.rollupDays),
        pinWork(lanes, this.#clock, signal),
        signal,
      );
      for (const [table, partitions] of Map.groupBy(due, (each) => each.table)) {
        if (signal?.aborted) return report;
        await dropPartitions(lanes, table, partitions);
      }
    }
    for (const table of EXPIRING_TABLES.slice(TABLES.length)) {
      const rows = goes
        ? await deleteExpired(lanes, this.#clock, table, storing, signal)
        : await countExpired(lanes, table, storing);
      if (rows > 0) tables.push({ table, rows });
    }
    if (!goes || (tables.length === 0 && due.length === 0)) return report;
    this.#deadLetterBytes.clear();
    await recordExpiry(lanes, this.#clock.nowUs(), report);
    return report;
  }

  async confirmStoringDay(day: number): Promise<Days> {
    this.#days = await confirmStoringDay(this.#sideLanes, day);
    return this.#days;
  }

  async ping(): Promise<void> {
    await this.#readPool.query("SELECT 1", []).catch((error: unknown) => {
      throw pingError(error);
    });
  }

  close(): Promise<void> {
    this.#commitLanes.close();
    this.#sideLanes.close();
    this.#readPool.close();
    return Promise.resolve();
  }

  /** A quota by what this server saw; with several servers the sum may pass it by what the others wrote meanwhile. */
  async #bodyWithinQuota(session: Session, namespace: string, entry: RejectedEntry): Promise<Uint8Array | null> {
    if (entry.body === null) return null;
    let used = this.#deadLetterBytes.get(namespace);
    if (used === undefined) {
      const [row] = await session.query(
        `SELECT COALESCE(SUM(LENGTH(body)), 0) AS bytes FROM dead_letters WHERE namespace_id = ${textLiteral(namespace)}`,
      );
      used = Number(row?.["bytes"]);
    }
    const kept = used + entry.body.length <= this.#options.deadLetterBytesMax;
    this.#deadLetterBytes.set(namespace, kept ? used + entry.body.length : used);
    return kept ? entry.body : null;
  }

  #expiryOfLosses(namespace: string): string {
    return new ExpiryStamp(this.retention, stampDay(this.#days)).ofLosses(namespace);
  }

  /** Another machine may be the one that writes now, while the one of before still answers what it is asked. */
  #renewReadsAfter(error: unknown): void {
    if (error instanceof StoreError && ["unavailable", "unknownOutcome"].includes(error.kind)) this.#readPool.renew();
  }

  /** A small transaction that gives way to others a few times: they insert the same row, or hold its lock. */
  async #patiently<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#sideLanes.transaction(work);
      } catch (error) {
        this.#renewReadsAfter(error);
        const passing = error instanceof StoreError && (error.kind === "contention" || error.kind === "duplicate");
        if (!passing || tried === CONTENTION_TRIES) throw error;
        await this.#clock.sleep(this.#clock.random() * RETRY_DELAY_MS_FIRST * 2 ** tried);
      }
    }
  }
}
