/**
 * How long rows are kept, by type and namespace. The day that a row expires on is written with it, so a change counts for
 * rows that are stored from then on.
 */
import { dayText } from "../record/time.js";
import { ROLLUP_TABLES } from "./rollups.js";

/** Settings of the types, in the order of the tables. */
const TYPE_NAMES = [
  "performanceHistory",
  "sessionHistory",
  "actionHistory",
  "scoreHistory",
  "coordinateAttempts",
  "frameHistory",
] as const;

type DaysOfTypes = Partial<Record<(typeof TYPE_NAMES)[number], number | undefined>>;

export interface RetentionSettings {
  retentionDays: number;
  /** For types that have another one; 0 for those that have not. */
  retentionDaysOf?: DaysOfTypes;
  /** For namespaces that have another one: of all types, or of some. */
  retentionDaysIn?: Readonly<Record<string, number | DaysOfTypes>>;
}

/** Plain data, as it goes to another thread. */
export interface Retention {
  /** By table index, of namespaces without days of their own. */
  readonly days: readonly number[];
  readonly daysIn: ReadonlyMap<string, readonly number[]>;
}

export function retentionOf({
  retentionDays,
  retentionDaysOf = {},
  retentionDaysIn = {},
}: RetentionSettings): Retention {
  const days = TYPE_NAMES.map((name) => retentionDaysOf[name] || retentionDays);
  const own = Object.entries(retentionDaysIn).map(([namespace, set]): [string, number[]] => [
    namespace,
    TYPE_NAMES.map((name, index) => (typeof set === "number" ? set : (set[name] ?? (days[index] as number)))),
  ]);
  return { days, daysIn: new Map(own) };
}

/** Days that records of a namespace are kept, by table index. */
export function daysInNamespace({ days, daysIn }: Retention, namespace: string): readonly number[] {
  return daysIn.get(namespace) ?? days;
}

/** Of any record in any namespace: partitions are needed for as many days. */
export function longestDays({ days, daysIn }: Retention): number {
  return Math.max(...days, ...[...daysIn.values()].flat());
}

/** Days that rows of each expiring table are kept: gaps and dead letters as long as any record beside them. */
export function expiryDays(retentionDays: readonly number[], rollupDays: number): number[] {
  const longest = Math.max(...retentionDays);
  return [...retentionDays, longest, longest, ...ROLLUP_TABLES.map(() => rollupDays)];
}

/** The days that rows stored in one transaction expire on. */
export class ExpiryStamp {
  readonly #retention: Retention;
  readonly #storingDay: number;
  readonly #byNamespace = new Map<string, readonly string[]>();

  constructor(retention: Retention, storingDay: number) {
    this.#retention = retention;
    this.#storingDay = storingDay;
  }

  /** Of records, by table index. */
  ofRecords(namespace: string): readonly string[] {
    let known = this.#byNamespace.get(namespace);
    if (known === undefined) {
      known = daysInNamespace(this.#retention, namespace).map((days) => dayText(this.#storingDay + days));
      this.#byNamespace.set(namespace, known);
    }
    return known;
  }

  /** Of gaps and dead letters, which stay as long as any record beside them. */
  ofLosses(namespace: string): string {
    return dayText(this.#storingDay + Math.max(...daysInNamespace(this.#retention, namespace)));
  }
}
