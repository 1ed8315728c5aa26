/**
 * The server's Store over a simulated database: one transaction an operation, each of its steps a round trip that may be
 * slow, refused, or lost. What a transaction does to a stream is decided by the code that the real stores share.
 */
import { GapCause, RejectionReason } from "@tailkeep/proto";
import type { RejectedEntry } from "@tailkeep/server/dist/record/batch.js";
import type { StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import { tableAt } from "@tailkeep/server/dist/record/tables.js";
import { admit, advance, countsOf } from "@tailkeep/server/dist/store/admit.js";
import type { KeyStore } from "@tailkeep/server/dist/store/api-keys.js";
import type { ConfigStore } from "@tailkeep/server/dist/store/config.js";
import { StoreError } from "@tailkeep/server/dist/store/errors.js";
import type { Days } from "@tailkeep/server/dist/store/expiry.js";
import { streamKey } from "@tailkeep/server/dist/store/keys.js";
import { openDecision } from "@tailkeep/server/dist/store/open.js";
import type { GapRow } from "@tailkeep/server/dist/store/reads/reads.js";
import type { RollupStore } from "@tailkeep/server/dist/store/rollups.js";
import type { StateStore } from "@tailkeep/server/dist/store/state.js";
import type {
  Audit,
  Capabilities,
  OpenOutcome,
  OpenRequest,
  Run,
  RunOutcome,
  Store,
} from "@tailkeep/server/dist/store/store.js";
import type { Change, Database } from "./database.js";
import type { SimulatedProcess } from "./process.js";
import { SimulatedReads } from "./reads.js";

/** A record of this game is data that the database refuses. */
export const POISON_GAME = "poison";

/** Failures that wait for the next operation that comes to their stage. */
export type ArmedFailure = "deadlock" | "gone" | "tooMany" | "commitLost" | "commitAnswerLost";

const LOCK_WAIT_MS = 1_000;
const STATEMENT_TIMEOUT_MS = 30_000;

interface Transaction {
  isOver: boolean;
  readonly generation: number;
}

export class SimulatedStore implements Store {
  readonly retention = { days: [], daysIn: new Map<string, number[]>() };
  readonly capabilities: Capabilities;
  readonly reads: SimulatedReads;
  readonly state = undefined as unknown as StateStore;
  readonly config = undefined as unknown as ConfigStore;
  readonly keys = undefined as unknown as KeyStore;
  readonly rollups = undefined as unknown as RollupStore;
  readonly #database: Database;
  readonly #process: SimulatedProcess;
  readonly #armed: ArmedFailure[];
  readonly #open = new Set<Transaction>();

  constructor(database: Database, process: SimulatedProcess, capabilities: Capabilities, armed: ArmedFailure[]) {
    this.#database = database;
    this.#process = process;
    this.#armed = armed;
    this.capabilities = capabilities;
    this.reads = new SimulatedReads(database, () => this.#trip("read"));
    process.onDeath(() => {
      // The database finds out in its own time; until then their locks are held.
      for (const tx of this.#open) {
        process.world.after(process.world.latencyMs(0.1, 400), "database: connection gone", () => this.#rollBack(tx));
      }
    });
  }

  async start(): Promise<Audit> {
    await this.#trip("connect");
    return { engine: "simulated", durable: true, findings: [] };
  }

  openStream(request: OpenRequest): Promise<OpenOutcome> {
    return this.#transaction<OpenOutcome>("open", async (tx) => {
      const key = streamKey(request);
      await this.#lock(key, tx);
      const before = this.#database.streams.get(key)?.row;
      const decision = openDecision(request, before);
      if (decision.kind === "fenced") return { result: decision, changes: [] };
      const { sessionId, streamId, namespace } = request;
      const { regressed, row } = decision;
      const gaps: GapRow[] =
        regressed === null
          ? []
          : [
              {
                ...regressed,
                sessionId,
                streamId,
                stream: key,
                type: 0,
                cause: GapCause.STORE_REGRESSED,
                createdAtUs: 0,
              },
            ];
      const change = {
        key,
        identity: { namespace, sessionId, streamId },
        by: undefined,
        row,
        rows: [],
        gaps,
        deadLetters: [],
      };
      const { epoch, committedSeq } = row;
      return {
        result: {
          kind: "opened",
          key,
          epoch,
          committedSeq,
          counts: countsOf(row),
          regressed,
          sessionStartedAtUs: 0,
        },
        changes: [change],
      };
    });
  }

  commit(runs: readonly Run[]): Promise<RunOutcome[]> {
    return this.#transaction("commit", async (tx) => {
      const sorted = [...runs].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      for (const { key } of sorted) await this.#lock(key, tx);
      const changes: Change[] = [];
      const outcomes = new Map<Run, RunOutcome>();
      for (const run of sorted) outcomes.set(run, this.#runIn(run, changes));
      return { result: runs.map((run) => outcomes.get(run) as RunOutcome), changes };
    });
  }

  #runIn(run: Run, changes: Change[]): RunOutcome {
    const stream = this.#database.streams.get(run.key);
    const admission = admit(run, stream?.row);
    if (admission.kind !== "admitted" || stream === undefined) return admission as RunOutcome;
    const { run: admitted, alreadyUpTo } = admission;
    const { identity } = stream;
    const refused: RejectedEntry[] = [];
    const rows: StoredRow[] = [];
    for (const row of rowsOf(admitted, identity.streamId)) {
      if (row.values.includes(POISON_GAME)) refused.push(refusal(run, row));
      else rows.push(row);
    }
    const next = advance(stream.row, admitted, refused);
    const deadLetters = [...admitted.rejected, ...refused];
    if (next !== stream.row || rows.length + admitted.gaps.length + deadLetters.length > 0) {
      const { sessionId, streamId } = identity;
      changes.push({
        key: run.key,
        identity,
        by: run,
        row: next,
        rows,
        gaps: admitted.gaps.map((gap) => ({ ...gap, sessionId, streamId, stream: run.key, createdAtUs: 0 })),
        deadLetters,
      });
    }
    return {
      kind: "committed",
      committedSeq: next.committedSeq,
      counts: countsOf(next),
      alreadyUpTo,
      rejected: [...run.rejected, ...refused],
    };
  }

  updateSession(): Promise<boolean> {
    return Promise.resolve(true);
  }

  deleteSession(): Promise<number | "missing"> {
    return Promise.resolve("missing");
  }

  touchSessions(): Promise<void> {
    return this.#trip("touch");
  }

  maintain(): Promise<boolean> {
    return Promise.resolve(true);
  }

  expire(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  confirmStoringDay(day: number): Promise<Days> {
    return Promise.resolve({ host: day, database: day, storing: day });
  }

  ping(): Promise<void> {
    return this.#trip("ping");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  // --- transactions ---

  async #transaction<Result>(
    label: string,
    work: (tx: Transaction) => Promise<{ result: Result; changes: readonly Change[] }>,
  ): Promise<Result> {
    const tx: Transaction = { isOver: false, generation: this.#database.generation };
    this.#open.add(tx);
    try {
      await this.#trip(`${label} begins`, tx);
      const { result, changes } = await work(tx);
      await this.#trip(`${label} writes`, tx);
      this.#mayWrite(changes);
      await this.#commitTransaction(label, tx, changes);
      return result;
    } finally {
      this.#rollBack(tx);
    }
  }

  #rollBack(tx: Transaction): void {
    this.#open.delete(tx);
    if (tx.isOver) return;
    tx.isOver = true;
    this.#database.unlock(tx);
  }

  #mayWrite(changes: readonly Change[]): void {
    if (this.#takes("deadlock")) throw new StoreError("contention", "deadlock", "DEADLOCK");
    if (changes.length === 0) return;
    if (this.#database.isReadOnly) throw new StoreError("refused", "the database is read-only", "READ_ONLY");
    if (this.#database.isFull) throw new StoreError("refused", "the disk is full", "FULL");
  }

  #lock(key: bigint, tx: Transaction): Promise<void> {
    return new Promise((resolve, reject) => {
      const { world } = this.#database;
      let isDecided = false;
      const giveUp = this.#database.lock(key, tx, () => {
        if (isDecided) return;
        isDecided = true;
        this.#process.after(world.latencyMs(0.05, 2), "store: locked", resolve);
      });
      world.after(LOCK_WAIT_MS, "database: lock wait over", () => {
        if (isDecided) return;
        isDecided = true;
        giveUp();
        const error = new StoreError("contention", "waited for a lock for a second", "LOCK_WAIT");
        this.#process.after(0.1, "store: lock wait", () => reject(error));
      });
    });
  }

  #commitTransaction(label: string, tx: Transaction, changes: readonly Change[]): Promise<void> {
    const { world } = this.#database;
    return new Promise((resolve, reject) => {
      const unknown = (): void => {
        const error = new StoreError("unknownOutcome", "the answer to COMMIT was lost", "LOST");
        this.#process.after(world.latencyMs(0.1, 50), "store: commit unknown", () => reject(error));
      };
      this.#arrive(`${label} commits`, 0, (isThere) => {
        if (!isThere || tx.isOver || tx.generation !== this.#database.generation || this.#takes("commitLost")) {
          unknown();
          return;
        }
        this.#database.apply(changes);
        this.#rollBack(tx);
        if (this.#takes("commitAnswerLost")) unknown();
        else this.#process.after(world.latencyMs(0.1, 4), `store: ${label} done`, resolve);
      });
    });
  }

  /** A round trip. */
  #trip(what: string, tx?: Transaction): Promise<void> {
    const { world } = this.#database;
    return new Promise((resolve, reject) => {
      const fail = (kind: "unavailable" | "unknownOutcome", code: string): void => {
        this.#process.after(world.latencyMs(0.1, 20), `store: ${what} failed`, () =>
          reject(new StoreError(kind, "the database went away", code)),
        );
      };
      this.#arrive(what, 0, (isThere) => {
        const isStale = tx !== undefined && (tx.isOver || tx.generation !== this.#database.generation);
        if (!isThere || isStale) fail("unavailable", "GONE");
        else if (what.endsWith("begins") && this.#takes("tooMany")) fail("unavailable", "TOO_MANY_CONNECTIONS");
        else if (what.endsWith("writes") && this.#takes("gone")) fail("unavailable", "GONE");
        else this.#process.after(world.latencyMs(0.05, 3), `store: ${what} answered`, resolve);
      });
    });
  }

  /** A request reaches the database, or does not; one that is frozen lets it wait. */
  #arrive(what: string, waitedMs: number, decided: (isThere: boolean) => void): void {
    const { world } = this.#database;
    const delayMs = waitedMs === 0 ? world.latencyMs(0.05, 3) : 25;
    world.after(delayMs, `database: ${what}`, () => {
      if (!this.#database.isUp) decided(false);
      else if (!this.#database.isFrozen) decided(true);
      else if (waitedMs > STATEMENT_TIMEOUT_MS) decided(false);
      else this.#arrive(what, waitedMs + delayMs, decided);
    });
  }

  #takes(failure: ArmedFailure): boolean {
    const at = this.#armed.indexOf(failure);
    if (at < 0) return false;
    this.#armed.splice(at, 1);
    return true;
  }
}

function rowsOf(run: Run, streamId: string): StoredRow[] {
  return run.rows.flatMap((rows, index) => {
    if (rows === undefined) return [];
    const table = tableAt(index);
    const width = table.columns.length;
    return rows.seqs.map((seq, at) => ({
      table,
      sessionId: run.sessionId,
      streamId,
      stream: run.key,
      seq,
      timeUs: rows.timesUs[at] as number,
      nonfinite: rows.nonfinite[at] ?? null,
      values: rows.values.slice(at * width, (at + 1) * width),
    }));
  });
}

function refusal(run: Run, row: StoredRow): RejectedEntry {
  return {
    seq: row.seq,
    type: row.table.type,
    reason: RejectionReason.REFUSED_BY_STORE,
    field: row.table.name,
    message: "refused by the simulated database",
    body: run.bodyOf(row.seq),
  };
}
