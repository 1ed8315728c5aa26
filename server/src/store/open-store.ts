/** Makes the store that the configuration names. The only place that knows both. */
import { ROLLUP_DAYS_DEFAULT } from "../limits.js";
import type { Inspection } from "./inspection.js";
import { parseMysqlUrl } from "./mysql/connection.js";
import { inspectMysql } from "./mysql/inspect.js";
import { MysqlStore } from "./mysql/mysql-store.js";
import { inspectSqlite } from "./sqlite/inspect.js";
import { SqliteStore } from "./sqlite/sqlite-store.js";
import type { Store } from "./store.js";

const SQLITE_PREFIX = "sqlite:";

export interface StoreSettings {
  /** sqlite:FILE or mysql://... */
  store: string;
  retentionDays: number;
  /** For types that have another one; 0 for those that have not. */
  retentionDaysOf?: Partial<Record<RetentionName, number>>;
  /** Days that rollups of series are kept. */
  rollupDays?: number;
  deadLetterBytesMax: number;
  mysqlLanes: number;
}

/** The file of an embedded store; undefined where a database server keeps the data. */
export function fileOf(store: string): string | undefined {
  return store.startsWith(SQLITE_PREFIX) ? store.slice(SQLITE_PREFIX.length) : undefined;
}

/** Reads what a store is without becoming its server. @throws StoreError, or Error for a URL that makes no sense */
export async function inspectStore(store: string): Promise<Inspection> {
  const file = fileOf(store);
  return file === undefined ? await inspectMysql(parseMysqlUrl(store)) : inspectSqlite(file);
}

/** Settings of the types, in the order of the tables. */
const RETENTION_NAMES = [
  "performanceHistory",
  "sessionHistory",
  "actionHistory",
  "scoreHistory",
  "coordinateAttempts",
  "frameHistory",
] as const;

type RetentionName = (typeof RETENTION_NAMES)[number];

function retentionByTable({ retentionDays, retentionDaysOf = {} }: StoreSettings): number[] {
  return RETENTION_NAMES.map((name) => retentionDaysOf[name] || retentionDays);
}

export function openStore(settings: StoreSettings): Store {
  const retentionDays = retentionByTable(settings);
  const { deadLetterBytesMax, rollupDays = ROLLUP_DAYS_DEFAULT } = settings;
  const file = fileOf(settings.store);
  if (file !== undefined) return new SqliteStore({ file, retentionDays, rollupDays, deadLetterBytesMax });
  const target = parseMysqlUrl(settings.store);
  return new MysqlStore({ target, lanes: settings.mysqlLanes, retentionDays, rollupDays, deadLetterBytesMax });
}
