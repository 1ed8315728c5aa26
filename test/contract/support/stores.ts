/** Every store that the one contract suite runs against, each with a database of its own for each test file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore, type StoreSettings } from "@tailkeep/server/dist/store/open-store.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import {
  type DatabaseServer,
  isSkipped,
  type Skipped,
  sharedMysql9,
  sharedMysqlFamily,
} from "../../support/databases/index.js";

export type Row = Record<string, unknown>;

export interface StoreFixture {
  readonly dialect: "sqlite" | "mysql";
  /** The store of this test file, started. */
  readonly store: Store;
  /** As `--store` has it. */
  readonly url: string;
  /** Another store on the same database, not started; closed at the end. */
  readonly another: (settings?: Partial<StoreSettings>) => Store;
  /** A store on an empty database of its own, not started; closed at the end. */
  readonly onEmptyDatabase: (settings?: Partial<StoreSettings>) => Promise<{ store: Store; url: string }>;
  /** SQL on the same database, past the store. */
  readonly sql: (text: string) => Promise<Row[]>;
}

interface Kind {
  readonly name: string;
  readonly start: () => Promise<Opened | Skipped>;
}

interface Opened extends StoreFixture {
  end(): Promise<void>;
}

const SETTINGS = {
  retentionDays: 30,
  retentionDaysIn: { "kept-5": 5, "kept-some": { scoreHistory: 3 } },
  deadLetterBytesMax: 1_048_576,
  mysqlLanes: 2,
};

async function startSqlite(): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-contract-"));
  const stores: Store[] = [];
  const opened = (url: string, settings: Partial<StoreSettings> = {}) => {
    const store = openStore({ ...SETTINGS, store: url, ...settings });
    stores.push(store);
    return store;
  };
  const url = `sqlite:${join(folder, "contract.db")}`;
  const store = opened(url);
  await store.start();
  const direct = new DatabaseSync(join(folder, "contract.db"), { timeout: 5_000 });
  let count = 0;
  return {
    dialect: "sqlite",
    store,
    url,
    another: (settings) => opened(url, settings),
    onEmptyDatabase: (settings) => {
      const own = `sqlite:${join(folder, `empty-${count++}.db`)}`;
      return Promise.resolve({ store: opened(own, settings), url: own });
    },
    sql: (text) => {
      const statement = direct.prepare(text);
      statement.setReadBigInts(true);
      return Promise.resolve((statement.all() as Row[]).map(withNumbers));
    },
    end: async () => {
      direct.close();
      for (const each of stores) await each.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Integers as numbers where that is exact, as drivers of other databases give them. */
function withNumbers(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  );
}

async function startMysql(shared: () => Promise<DatabaseServer | Skipped>): Promise<Opened | Skipped> {
  const server = await shared();
  if (isSkipped(server)) return server;
  const stores: Store[] = [];
  const opened = (url: string, settings: Partial<StoreSettings> = {}) => {
    const store = openStore({ ...SETTINGS, store: url, ...settings });
    stores.push(store);
    return store;
  };
  const url = server.url(await server.createDatabase());
  const store = opened(url);
  await store.start();
  const direct = await mysql.createConnection({ uri: url, dateStrings: true });
  return {
    dialect: "mysql",
    store,
    url,
    another: (settings) => opened(url, settings),
    onEmptyDatabase: async (settings) => {
      const own = server.url(await server.createDatabase());
      return { store: opened(own, settings), url: own };
    },
    sql: async (text) => (await direct.query(text))[0] as Row[],
    end: async () => {
      direct.destroy();
      for (const each of stores) await each.close();
      await server.stop();
    },
  };
}

const KINDS: readonly Kind[] = [
  { name: "SQLite", start: startSqlite },
  { name: "MariaDB or MySQL", start: () => startMysql(sharedMysqlFamily) },
  { name: "MySQL 9", start: () => startMysql(sharedMysql9) },
];

/** Runs a suite against every store that there is; where there is none its tests are skipped, with the reason. */
export function everyStore(suite: (fixture: () => StoreFixture) => void): void {
  describe.each(KINDS)("$name", ({ start }) => {
    let fixture: Opened | Skipped;
    beforeAll(async () => {
      fixture = await start();
    });
    beforeEach((context) => {
      if (isSkipped(fixture)) context.skip(fixture.skipped);
    });
    afterAll(async () => {
      if (fixture !== undefined && !isSkipped(fixture)) await fixture.end();
    });
    suite(() => {
      if (isSkipped(fixture)) throw new Error(fixture.skipped);
      return fixture;
    });
  });
}
