/** Makes the store that the configuration names. The only place that knows both. */

import { parseMysqlUrl } from "../base/mysql-url.js";
import { ROLLUP_DAYS_DEFAULT } from "../limits.js";
import type { Inspection } from "./inspection.js";
import { inspectMysql } from "./mysql/inspect.js";
import { MysqlStore } from "./mysql/mysql-store.js";
import { type RetentionSettings, retentionOf } from "./retention.js";
import { inspectSqlite } from "./sqlite/inspect.js";
import { SqliteStore } from "./sqlite/sqlite-store.js";
import type { Store } from "./store.js";

const SQLITE_PREFIX = "sqlite:";

export interface StoreSettings extends RetentionSettings {
  /** sqlite:FILE or mysql://... */
  store: string;
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

export function openStore(settings: StoreSettings): Store {
  const retention = retentionOf(settings);
  const { deadLetterBytesMax, rollupDays = ROLLUP_DAYS_DEFAULT } = settings;
  const file = fileOf(settings.store);
  if (file !== undefined) return new SqliteStore({ file, retention, rollupDays, deadLetterBytesMax });
  const target = parseMysqlUrl(settings.store);
  return new MysqlStore({ target, lanes: settings.mysqlLanes, retention, rollupDays, deadLetterBytesMax });
}
