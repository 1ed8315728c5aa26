/** A group being summed up: the records of one type and game of a stream, the newest node of which is open. */
import { ROLLUP_ENTRY_RECORDS } from "../limits.js";
import type { NodePlace, NodeRow } from "../store/rollups.js";
import { nodeRecords } from "./levels.js";
import { encodeNode, Node, type SeriesStats } from "./node.js";
import type { GroupSummary } from "./summary.js";
import { addValue, emptyTotals, type Totals } from "./totals.js";

/** Entries that a new node has room for: most games of most streams have few records. */
const ENTRIES_AT_FIRST = 4;

/** What a group takes besides its node: its maps, and what it knows of a series. */
const GROUP_BYTES = 1_024;
const TOTALS_BYTES = 400;

/** A series of the group: its entries in the open node, and what it comes to. */
export interface OpenSeries {
  readonly name: string;
  readonly totals: Totals;
  stats: SeriesStats | undefined;
}

export class Group implements GroupSummary {
  readonly table: number;
  readonly game: number;
  readonly gameId: string;
  readonly totals = new Map<string, Totals>();
  records = 0;
  /**
   * Where the series of a number is found without making its name: by the place of its column, and by its key there.
   * Null: a key that has no series.
   */
  readonly byPlace: (OpenSeries | undefined)[] = [];
  readonly byKey: (Map<string, OpenSeries | null> | undefined)[] = [];
  readonly #open = new Map<string, OpenSeries>();
  #node = new Node(ENTRIES_AT_FIRST);

  constructor(table: number, game: number, gameId: string) {
    this.table = table;
    this.game = game;
    this.gameId = gameId;
  }

  /** As it was stored; `node` is its last one, undefined where that was full, or has expired. */
  static restored({ table, game, gameId, records, totals }: GroupSummary, node: Node | undefined): Group {
    const group = new Group(table, game, gameId);
    group.records = records;
    for (const [name, of] of totals) group.totals.set(name, { ...of });
    if (node !== undefined) group.#node = node;
    return group;
  }

  get bytes(): number {
    return GROUP_BYTES + this.#node.bytes + this.totals.size * TOTALS_BYTES;
  }

  /** Whether there is a node that is neither stored nor full. */
  get isOpen(): boolean {
    return this.records % nodeRecords(1) !== 0;
  }

  get openPlace(): NodePlace {
    const node = Math.floor(this.records / nodeRecords(1));
    return { table: this.table, game: this.game, level: 1, node };
  }

  openRow(): NodeRow {
    return { ...this.openPlace, body: encodeNode(this.#node) };
  }

  /** Begins the next record; its values are added to the entry that is returned. */
  begin(seq: number, timeUs: number): number {
    const entry = Math.floor((this.records % nodeRecords(1)) / ROLLUP_ENTRY_RECORDS);
    this.#node.reach(entry);
    this.#node.addRecord(entry, seq, timeUs);
    return entry;
  }

  series(name: string): OpenSeries {
    let series = this.#open.get(name);
    if (series === undefined) {
      const totals = this.totals.get(name) ?? emptyTotals();
      this.totals.set(name, totals);
      series = { name, totals, stats: undefined };
      this.#open.set(name, series);
    }
    return series;
  }

  add(entry: number, series: OpenSeries, value: number, timeUs: number, seq: number): void {
    series.stats ??= this.#node.stats(series.name);
    series.stats.add(entry, value);
    addValue(series.totals, value, timeUs, seq);
  }

  /** Ends the record; returns the node where it is the last one of it. */
  end(): NodeRow | undefined {
    const place = this.openPlace;
    this.records++;
    if (this.isOpen) return undefined;
    const row = { ...place, body: encodeNode(this.#node) };
    this.#node = new Node(ENTRIES_AT_FIRST);
    for (const series of this.#open.values()) series.stats = undefined;
    return row;
  }
}
