/**
 * A stream being summed up, in memory: what its newest nodes and its summary are after `seq`. A checkpoint is all that
 * has changed since `rolledSeq`, which is where the store stands.
 */
import { ROLLUP_GAMES_MAX, SERIES_KEYS_MAX } from "../limits.js";
import type { Batch, Rows } from "../record/batch.js";
import type { StoredRow } from "../record/stored-row.js";
import { TABLE_COUNT, type Value } from "../record/tables.js";
import type { Reads, RollupStreamRow } from "../store/reads/reads.js";
import type { Checkpoint, NodeRow } from "../store/rollups.js";
import { eachNumber, SERIES_COLUMNS, type SeriesColumns } from "./columns.js";
import { Group, type OpenSeries } from "./group.js";
import type { KeysOfSession } from "./keys.js";
import { openNode } from "./node.js";
import { decodeSummary, encodeSummary } from "./summary.js";

export interface RollupOwner {
  readonly key: bigint;
  readonly namespace: string;
  readonly sessionId: string;
}

/** What a stream takes without its groups: a map for each table, and who it is. */
const STREAM_BYTES = 4_096;

/** Places that one statement asks for. */
const PLACES_PER_READ = 64;

/** A checkpoint that was begun, and what to do where it was not written. */
export interface BegunCheckpoint {
  readonly checkpoint: Checkpoint;
  /** Nodes of level 1 that are full since the one before. */
  readonly full: readonly NodeRow[];
  readonly changed: ReadonlySet<Group>;
  readonly records: number;
}

export class StreamRollup {
  readonly owner: RollupOwner;
  readonly #keys: KeysOfSession;
  /** By table index, then by game. */
  readonly #groups: Map<string, Group>[] = Array.from({ length: TABLE_COUNT }, () => new Map<string, Group>());
  #full: NodeRow[] = [];
  #changed = new Set<Group>();
  /** Records since the last checkpoint. */
  newRecords = 0;
  rolledSeq = 0;
  seq = 0;

  private constructor(owner: RollupOwner, keys: KeysOfSession) {
    this.owner = owner;
    this.#keys = keys;
  }

  static async load(
    reads: Reads,
    owner: RollupOwner,
    row: RollupStreamRow | undefined,
    keys: KeysOfSession,
  ): Promise<StreamRollup> {
    const stream = new StreamRollup(owner, keys);
    if (row === undefined) return stream;
    const { groups } = decodeSummary(row.summary);
    const bare = groups.map((group) => Group.restored(group, undefined));
    const places = bare.filter(({ isOpen }) => isOpen).map(({ openPlace }) => openPlace);
    const nodes = new Map<string, Uint8Array>();
    for (let from = 0; from < places.length; from += PLACES_PER_READ) {
      for (const { table, game, body } of await reads.nodesAt(owner.key, places.slice(from, from + PLACES_PER_READ))) {
        nodes.set(`${table}:${game}`, body);
      }
    }
    for (const group of groups) {
      const body = nodes.get(`${group.table}:${group.game}`);
      const restored = Group.restored(group, body === undefined ? undefined : openNode(body));
      stream.#groups[group.table]?.set(group.gameId, restored);
    }
    stream.rolledSeq = row.rolledSeq;
    stream.seq = row.rolledSeq;
    return stream;
  }

  get bytes(): number {
    let bytes = STREAM_BYTES;
    for (const games of this.#groups) for (const group of games.values()) bytes += group.bytes;
    for (const { body } of this.#full) bytes += body.length;
    return bytes;
  }

  get changedGroups(): number {
    return this.#changed.size;
  }

  /** Whether the store does not have all of it. */
  get isDirty(): boolean {
    return this.seq > this.rolledSeq;
  }

  addBatch(batch: Batch): void {
    for (const [table, rows] of batch.rows.entries()) if (rows !== undefined) this.#addRows(table, rows);
    this.seq = batch.lastSeq;
  }

  #addRows(table: number, { seqs, timesUs, values }: Rows): void {
    const width = values.length / seqs.length;
    for (let at = 0; at < seqs.length; at++) {
      this.#add(table, seqs[at] as number, timesUs[at] as number, values, at * width);
    }
  }

  /** @param upTo all records up to here are among the rows, or were added before */
  addStored(rows: readonly StoredRow[], upTo: number): void {
    for (const { table, seq, timeUs, values } of rows) this.#add(table.index, seq, timeUs, values, 0);
    this.seq = upTo;
  }

  #add(table: number, seq: number, timeUs: number, values: readonly Value[], base: number): void {
    const { numeric, keyed, game } = SERIES_COLUMNS[table] as SeriesColumns;
    const group = this.#group(table, values[base + game] as string);
    const entry = group.begin(seq, timeUs);
    for (const { name, at } of numeric) {
      const value = values[base + at] as number | null;
      if (value === null) continue;
      let series = group.byPlace[at];
      if (series === undefined) {
        series = group.series(name);
        group.byPlace[at] = series;
      }
      group.add(entry, series, value, timeUs, seq);
    }
    for (const { name, at } of keyed) {
      const text = values[base + at] as string | null;
      if (text === null) continue;
      const series = group.byKey[at] ?? new Map<string, OpenSeries | null>();
      group.byKey[at] = series;
      eachNumber(text, (key, value) => {
        const known = series.get(key);
        const found = known === undefined ? this.#seriesOf(group, series, name, key) : known;
        if (found !== null) group.add(entry, found, value, timeUs, seq);
      });
    }
    const full = group.end();
    if (full !== undefined) this.#full.push(full);
    this.#changed.add(group);
    this.newRecords++;
  }

  #seriesOf(group: Group, byKey: Map<string, OpenSeries | null>, column: string, key: string): OpenSeries | null {
    const name = `${column}.${key}`;
    const series = this.#keys.admit(name) ? group.series(name) : null;
    // A trainer that makes up new keys all the time must not fill the memory with those that have no series.
    if (series !== null || byKey.size < 2 * SERIES_KEYS_MAX) byKey.set(key, series);
    return series;
  }

  #group(table: number, gameId: string): Group {
    const games = this.#groups[table] as Map<string, Group>;
    const found = games.get(gameId);
    if (found !== undefined) return found;
    const isOwn = games.size < ROLLUP_GAMES_MAX;
    const name = isOwn ? gameId : "";
    const together = isOwn ? undefined : games.get("");
    if (together !== undefined) return together;
    const group = new Group(table, games.size, name);
    games.set(name, group);
    return group;
  }

  /** What has changed, for the store to have; `ended` says what became of it. */
  begin(): BegunCheckpoint {
    const full = this.#full;
    const changed = this.#changed;
    const records = this.newRecords;
    this.#full = [];
    this.#changed = new Set();
    this.newRecords = 0;
    const open = [...changed].filter(({ isOpen }) => isOpen).map((group) => group.openRow());
    const summary = encodeSummary({
      groups: this.#groups.flatMap((games) => [...games.values()]),
      keysLeftOut: this.#keys.leftOut,
    });
    const { rolledSeq: fromSeq, seq: toSeq } = this;
    return {
      checkpoint: { ...this.owner, fromSeq, toSeq, summary, nodes: [...full, ...open] },
      full,
      changed,
      records,
    };
  }

  written({ checkpoint }: BegunCheckpoint): void {
    this.rolledSeq = checkpoint.toSeq;
  }

  /** It is not known to be in the store: it becomes part of the next one. */
  failed({ full, changed, records }: BegunCheckpoint): void {
    this.newRecords += records;
    this.#full = [...full, ...this.#full];
    for (const group of changed) this.#changed.add(group);
  }
}
