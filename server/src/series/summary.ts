/** What is known of a stream without its nodes: its games, how many records each has, and what its series come to. */
import type { Totals } from "./totals.js";

export interface GroupSummary {
  /** Index of the table of the records' type. */
  readonly table: number;
  /** Number by which the group's nodes are found. */
  readonly game: number;
  /** Empty: games beyond the first ROLLUP_GAMES_MAX, together. */
  readonly gameId: string;
  readonly records: number;
  /** By name of the series. */
  readonly totals: ReadonlyMap<string, Readonly<Totals>>;
}

export interface StreamSummary {
  readonly groups: readonly GroupSummary[];
  /** Numeric keys that have no series. */
  readonly keysLeftOut: readonly string[];
}

export const EMPTY_SUMMARY: StreamSummary = { groups: [], keysLeftOut: [] };

const VERSION = 1;

const FIELDS = [
  "count",
  "min",
  "max",
  "sum",
  "last",
  "firstTimeUs",
  "lastTimeUs",
  "firstSeq",
  "lastSeq",
] as const satisfies readonly (keyof Totals)[];

interface Stored {
  version: number;
  groups: [table: number, game: number, gameId: string, records: number, totals: [string, (number | string)[]][]][];
  keysLeftOut: string[];
}

export function encodeSummary({ groups, keysLeftOut }: StreamSummary): string {
  const stored: Stored = {
    version: VERSION,
    groups: groups.map(({ table, game, gameId, records, totals }) => [
      table,
      game,
      gameId,
      records,
      // A sum may have grown beyond what a double holds, which JSON has no number for.
      [...totals].map(([name, of]) => [
        name,
        FIELDS.map((field) => (Number.isFinite(of[field]) ? of[field] : String(of[field]))),
      ]),
    ]),
    keysLeftOut: [...keysLeftOut],
  };
  return JSON.stringify(stored);
}

export function decodeSummary(text: string): StreamSummary {
  const { version, groups, keysLeftOut } = JSON.parse(text) as Stored;
  if (version !== VERSION) throw new Error(`a rollup of version ${version}; run a newer Tailkeep`);
  return {
    groups: groups.map(([table, game, gameId, records, totals]) => ({
      table,
      game,
      gameId,
      records,
      totals: new Map(
        totals.map(([name, values]) => [
          name,
          Object.fromEntries(FIELDS.map((field, at) => [field, Number(values[at])])) as unknown as Totals,
        ]),
      ),
    })),
    keysLeftOut,
  };
}
