/**
 * A database with transactions: what a transaction changes is seen by nobody before its COMMIT arrives, and then by all; a
 * crash forgets what had not arrived. It judges every commit by itself, whatever the server thought.
 */

import type { RejectedEntry } from "@tailkeep/server/dist/record/batch.js";
import type { StoredRow } from "@tailkeep/server/dist/record/stored-row.js";
import type { StreamRow } from "@tailkeep/server/dist/store/admit.js";
import type { StreamIdentity } from "@tailkeep/server/dist/store/model.js";
import type { GapRow } from "@tailkeep/server/dist/store/reads/reads.js";
import type { World } from "./world.js";

export interface StreamState {
  readonly key: bigint;
  readonly identity: StreamIdentity;
  row: StreamRow;
  readonly rows: Map<number, StoredRow>;
  readonly gaps: GapRow[];
  readonly deadLetters: Map<number, RejectedEntry>;
  /** Numbers in the order in which they were inserted. */
  readonly inserted: number[];
}

/** What a transaction does to one stream. */
export interface Change {
  readonly key: bigint;
  readonly identity: StreamIdentity;
  /** Who says so; undefined for an open, which may change both. */
  readonly by: { readonly writerId: string; readonly epoch: number } | undefined;
  readonly row: StreamRow;
  readonly rows: readonly StoredRow[];
  readonly gaps: readonly GapRow[];
  readonly deadLetters: readonly RejectedEntry[];
}

interface Lock {
  holder: object;
  readonly waiting: { readonly tx: object; readonly granted: () => void }[];
}

export type Dump = ReadonlyMap<bigint, StreamState>;

export class Database {
  readonly world: World;
  readonly #report: (invariant: string, detail: string) => void;
  streams = new Map<bigint, StreamState>();
  readonly #locks = new Map<bigint, Lock>();
  isUp = true;
  isFrozen = false;
  isReadOnly = false;
  isFull = false;
  /** Counts crashes and restores: what was begun before one is gone. */
  generation = 0;
  /** Highest number that was ever committed, by stream. */
  readonly committedEver = new Map<string, number>();
  /** Numbers that a restore has taken away, by stream. */
  readonly forgotten = new Map<string, Set<number>>();
  restoredAtMs = Number.NEGATIVE_INFINITY;
  /** Hears when another writer takes a stream over, and up to where it was committed then. */
  takenOver: (name: string, committedSeq: number) => void = () => undefined;

  constructor(world: World, report: (invariant: string, detail: string) => void) {
    this.world = world;
    this.#report = report;
  }

  // --- locks ---

  /** Calls `granted` at once or when it is `tx`'s turn; returns what gives up waiting. */
  lock(key: bigint, tx: object, granted: () => void): () => void {
    const lock = this.#locks.get(key);
    if (lock === undefined || lock.holder === tx) {
      if (lock === undefined) this.#locks.set(key, { holder: tx, waiting: [] });
      granted();
      return () => undefined;
    }
    const entry = { tx, granted };
    lock.waiting.push(entry);
    return () => {
      const at = lock.waiting.indexOf(entry);
      if (at >= 0) lock.waiting.splice(at, 1);
    };
  }

  /** Gives back what `tx` holds, and what it waits for. */
  unlock(tx: object): void {
    const locks = [...this.#locks];
    for (const [key, lock] of locks) {
      const waits = lock.waiting.findIndex((entry) => entry.tx === tx);
      if (waits >= 0) lock.waiting.splice(waits, 1);
      if (lock.holder !== tx) continue;
      const next = lock.waiting.shift();
      if (next === undefined) this.#locks.delete(key);
      else {
        lock.holder = next.tx;
        this.world.after(0, "database: lock granted", next.granted);
      }
    }
  }

  // --- commits ---

  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#applyOne(change);
  }

  #applyOne({ key, identity, by, row, rows, gaps, deadLetters }: Change): void {
    const name = `${identity.sessionId}/${identity.streamId}`;
    let state = this.streams.get(key);
    if (state === undefined) {
      if (by !== undefined) this.#report("I6", `${name}: committed to a stream that is not there`);
      state = { key, identity, row, rows: new Map(), gaps: [], deadLetters: new Map(), inserted: [] };
      this.streams.set(key, state);
    } else if (by !== undefined && (state.row.writerId !== by.writerId || state.row.epoch !== by.epoch)) {
      this.#report("I6", `${name}: committed under epoch ${by.epoch} while it is ${state.row.epoch}`);
    }
    if (by === undefined && state.row.writerId !== row.writerId) this.takenOver(name, state.row.committedSeq);
    if (row.committedSeq < state.row.committedSeq) {
      this.#report("I6", `${name}: the watermark went from ${state.row.committedSeq} back to ${row.committedSeq}`);
    }
    const before = state.row === row ? 0 : state.row.committedSeq;
    const seqs = [
      ...rows.map(({ seq }) => seq),
      ...deadLetters.map(({ seq }) => seq),
      ...gaps.flatMap(({ firstSeq, lastSeq }) => range(firstSeq, lastSeq)),
    ].sort((a, b) => a - b);
    for (const seq of seqs) {
      const isThere =
        state.rows.has(seq) ||
        state.deadLetters.has(seq) ||
        state.gaps.some((gap) => gap.firstSeq <= seq && seq <= gap.lastSeq);
      if (isThere) this.#report("I2", `${name}: ${seq} is stored again`);
      else if (seq <= before) this.#report("I4", `${name}: ${seq} was inserted below the watermark ${before}`);
      state.inserted.push(seq);
    }
    const expected = row.committedSeq - before;
    if (seqs.length !== expected || (expected > 0 && seqs.at(-1) !== row.committedSeq)) {
      this.#report(
        "I5",
        `${name}: ${seqs.length} numbers up to ${seqs.at(-1)} moved the watermark by ${expected} to ${row.committedSeq}`,
      );
    }
    for (const each of rows) state.rows.set(each.seq, each);
    for (const each of deadLetters) state.deadLetters.set(each.seq, each);
    state.gaps.push(...gaps);
    state.row = row;
    this.#judgeCounts(name, state);
    this.committedEver.set(name, Math.max(this.committedEver.get(name) ?? 0, row.committedSeq));
  }

  #judgeCounts(name: string, { row, rows, gaps, deadLetters }: StreamState): void {
    const stored = row.storedByTable.reduce((sum, count) => sum + count, 0);
    const gapped = gaps.reduce((sum, gap) => sum + gap.lastSeq - gap.firstSeq + 1, 0);
    if (stored !== rows.size) this.#report("LEDGER", `${name}: stored says ${stored}, there are ${rows.size}`);
    if (row.rejected !== deadLetters.size)
      this.#report("LEDGER", `${name}: rejected says ${row.rejected}, there are ${deadLetters.size}`);
    if (row.gapped !== gapped) this.#report("LEDGER", `${name}: gapped says ${row.gapped}, there are ${gapped}`);
    if (stored + row.rejected + row.gapped !== row.committedSeq)
      this.#report("LEDGER", `${name}: the counts do not add up to ${row.committedSeq}`);
  }

  // --- what happens to it ---

  crash(): void {
    this.isUp = false;
    this.isFrozen = false;
    this.generation++;
    this.#locks.clear();
  }

  start(): void {
    this.isUp = true;
  }

  dump(): Dump {
    return new Map([...this.streams].map(([key, state]) => [key, copyOf(state)]));
  }

  /** Everything since the dump is gone. */
  restore(dump: Dump): void {
    this.crash();
    for (const [key, { identity, row }] of this.streams) {
      const from = (dump.get(key)?.row.committedSeq ?? 0) + 1;
      const name = `${identity.sessionId}/${identity.streamId}`;
      const lost = this.forgotten.get(name) ?? new Set<number>();
      for (let seq = from; seq <= row.committedSeq; seq++) lost.add(seq);
      this.forgotten.set(name, lost);
    }
    this.streams = new Map([...dump].map(([key, state]) => [key, copyOf(state)]));
    this.restoredAtMs = this.world.nowMs;
  }
}

function copyOf(state: StreamState): StreamState {
  return {
    ...state,
    row: { ...state.row, storedByTable: [...state.row.storedByTable] },
    rows: new Map(state.rows),
    gaps: [...state.gaps],
    deadLetters: new Map(state.deadLetters),
    inserted: [...state.inserted],
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
}
