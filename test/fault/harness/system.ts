/** What is under test: a server as users start it, on its database, both of which may be killed and come back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isSkipped,
  type PrivateDatabaseServer,
  type Skipped,
  startMysqlFamily,
} from "../../support/databases/index.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";
import { plainMysql, plainSqlite } from "./plain-sql.js";
import type { PlainStore } from "./plain-store.js";
import type { KillTarget } from "./plan.js";

export const STORE_KINDS = ["sqlite", "mysql"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

export interface SystemUnderTest {
  readonly server: TailkeepServer;
  readonly store: PlainStore;
  /** Where the database is: a file, or a URL. */
  readonly location: { readonly file: string } | { readonly url: string };
  /** The same, as TAILKEEP_STORE has it. */
  readonly storeUrl: string;
  /** Only with MySQL. */
  readonly database: PrivateDatabaseServer | undefined;
  /** "SQLite", "mariadb 10.11.14". */
  readonly engine: string;
  pidOf(target: KillTarget): number;
  /** SIGKILL; resolves when the process is gone. */
  kill(target: KillTarget): Promise<void>;
  /** Resolves when what was killed answers again. */
  restart(target: KillTarget): Promise<void>;
  stop(): Promise<void>;
}

export async function startSystem(kind: StoreKind): Promise<SystemUnderTest | Skipped> {
  return kind === "sqlite" ? await startOnSqlite() : await startOnMysql();
}

async function startOnSqlite(): Promise<SystemUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-fault-"));
  const file = join(folder, "tailkeep.db");
  const server = await TailkeepServer.start({ store: `sqlite:${file}`, cwd: folder });
  const store = plainSqlite(file);
  return {
    server,
    store,
    location: { file },
    storeUrl: `sqlite:${file}`,
    database: undefined,
    engine: "SQLite",
    pidOf: (target) => pidOf(target === "server" ? server.pid : undefined),
    kill: () => server.kill(),
    restart: () => server.start(),
    stop: async () => {
      await server.stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOnMysql(): Promise<SystemUnderTest | Skipped> {
  const database = await startMysqlFamily({ private: true });
  if (isSkipped(database)) return database;
  const url = database.url(await database.createDatabase());
  const server = await TailkeepServer.start({ store: url, cwd: tmpdir() });
  const of = (target: KillTarget) => (target === "server" ? server : database);
  return {
    server,
    store: plainMysql(url),
    location: { url },
    storeUrl: url,
    database,
    engine: `${database.kind} ${database.version.split("-")[0]}`,
    pidOf: (target) => pidOf(of(target).pid),
    kill: (target) => of(target).kill(),
    restart: (target) => of(target).start(),
    stop: async () => {
      await server.stop();
      await database.stop();
    },
  };
}

function pidOf(pid: number | undefined): number {
  if (pid === undefined) throw new Error("there is no such process to kill");
  return pid;
}
