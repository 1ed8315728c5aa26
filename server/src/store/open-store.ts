/** Makes the store that the configuration names. The only place that knows both. */
import { TABLE_COUNT } from "../record/tables.js";
import { parseMysqlUrl } from "./mysql/connection.js";
import { MysqlStore } from "./mysql/mysql-store.js";
import { SqliteStore } from "./sqlite/sqlite-store.js";
import type { Store } from "./store.js";

export interface StoreSettings {
  /** sqlite:FILE or mysql://... */
  store: string;
  retentionDays: number;
  deadLetterBytesMax: number;
  mysqlLanes: number;
}

export function openStore(settings: StoreSettings): Store {
  const retentionDays = new Array<number>(TABLE_COUNT).fill(settings.retentionDays);
  const { deadLetterBytesMax } = settings;
  if (settings.store.startsWith("sqlite:")) {
    return new SqliteStore({ file: settings.store.slice("sqlite:".length), retentionDays, deadLetterBytesMax });
  }
  const target = parseMysqlUrl(settings.store);
  return new MysqlStore({ target, lanes: settings.mysqlLanes, retentionDays, deadLetterBytesMax });
}
