/**
 * What is under test, with something to break at every joint:
 *
 *   raw trainers -> link (proxy) -> server -> cutter (proxy, MySQL) -> database, on a disk of its own
 *   recorder trainers, processes -> link or a network of their own -> server; their spill on another disk of its own
 *   bystander -> server
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TailkeepClient } from "@tailkeep/client";
import mysql from "mysql2/promise";
import {
  isSkipped,
  type PrivateDatabaseServer,
  type Skipped,
  startMysqlFamily,
} from "../../../support/databases/index.js";
import { TailkeepServer } from "../../../support/tailkeep-server.js";
import { plainMysql, plainSqlite } from "../../harness/plain-sql.js";
import type { PlainStore } from "../../harness/plain-store.js";
import type { StoreKind } from "../../harness/system.js";
import { CommitCutter } from "./commit-cutter.js";
import { FakeClock } from "./fake-clock.js";
import { FaultProxy } from "./fault-proxy.js";
import { type FileSystem, LoopDisk } from "./loop-disk.js";
import { NetworkNamespace } from "./network-namespace.js";
import { askForTools, type Tools } from "./tools.js";

/** Sparse: what is not written takes no memory. */
const STORE_DISK_MEGABYTES = { sqlite: 4_096, mysql: 6_144 } as const;
const SPILL_DISK_MEGABYTES = { ext4: 64, xfs: 320 } as const;

export interface Rig {
  readonly kind: StoreKind;
  readonly engine: string;
  readonly tools: Tools;
  readonly server: TailkeepServer;
  /** Another one on the same database; made when it is asked for first. */
  second(): Promise<TailkeepServer>;
  readonly store: PlainStore;
  /** SQLite's file. */
  readonly file: string | undefined;
  readonly database: PrivateDatabaseServer | undefined;
  /** As root, past all proxies. */
  readonly adminUrl: string | undefined;
  readonly cutter: CommitCutter | undefined;
  readonly link: FaultProxy;
  /** Through the link. */
  readonly client: TailkeepClient;
  /** Straight to the server. */
  readonly bystander: TailkeepClient;
  readonly storeDisk: LoopDisk | undefined;
  readonly spillDisk: LoopDisk | undefined;
  readonly network: NetworkNamespace | undefined;
  readonly serverClock: FakeClock;
  readonly databaseClock: FakeClock;
  readonly scratchFolder: string;
  /** One after the other: what harms the same thing. "store" is the server, its database and their disk. */
  exclusively<Result>(what: "store" | "spill disk" | "network", use: () => Promise<Result>): Promise<Result>;
  /** Ends our own look at the database's files, which would keep their disk from being unmounted. */
  lookAway(): Promise<void>;
  stop(): Promise<void>;
}

/** What is to be undone, last first. */
type CleanUp = (() => unknown)[];

export async function startRig(kind: StoreKind): Promise<Rig | Skipped> {
  const cleanUp: CleanUp = [];
  try {
    const rig = await assemble(kind, cleanUp);
    if (isSkipped(rig)) await undo(cleanUp);
    return rig;
  } catch (error) {
    await undo(cleanUp);
    throw error;
  }
}

async function assemble(kind: StoreKind, cleanUp: CleanUp): Promise<Rig | Skipped> {
  const tools = await askForTools();
  const scratchFolder = await mkdtemp(join(tmpdir(), "tailkeep-fault-"));
  cleanUp.push(() => rm(scratchFolder, { recursive: true, force: true }));
  const disk = async (fileSystem: FileSystem, megabytes: number): Promise<LoopDisk | undefined> => {
    if (tools.disks !== undefined) return undefined;
    const made = await LoopDisk.make(fileSystem, megabytes);
    cleanUp.push(() => made.remove());
    return made;
  };
  const fileSystem = kind === "sqlite" ? "ext4" : "xfs";
  const storeDisk = await disk(fileSystem, STORE_DISK_MEGABYTES[kind]);
  const spillDisk = await disk(fileSystem, SPILL_DISK_MEGABYTES[fileSystem]);
  const [serverClock, databaseClock] = [new FakeClock(), new FakeClock()];
  cleanUp.push(() => {
    serverClock.remove();
    databaseClock.remove();
  });
  const storeFolder = storeDisk?.path ?? scratchFolder;
  const base = await (kind === "sqlite"
    ? startSqlite(storeFolder)
    : startMysql(storeFolder, databaseClock.environment, cleanUp));
  if (isSkipped(base)) return base;
  // A working folder on a disk would keep it from being unmounted.
  const env = { NODE_COMPILE_CACHE: join(scratchFolder, "compiled") };
  const settings = { store: base.url, cwd: scratchFolder, env: { ...env, ...serverClock.environment } };
  const server = await TailkeepServer.start(settings);
  cleanUp.push(() => server.stop());
  const link = await FaultProxy.start(server.grpcAddress);
  cleanUp.push(() => link.close());
  const network = tools.networks === undefined ? await NetworkNamespace.make() : undefined;
  cleanUp.push(() => network?.remove());
  const client = connect({ server: link.address });
  const bystander = connect({ server: server.grpcAddress });
  for (const each of [client, bystander]) cleanUp.push(() => each.close({ timeoutMs: 1_000 }).catch(() => undefined));

  let second: Promise<TailkeepServer> | undefined;
  const startSecond = async () => {
    const started = await TailkeepServer.start({ store: base.url, cwd: scratchFolder, env });
    cleanUp.push(() => started.stop());
    return started;
  };
  let store: PlainStore | undefined = base.openPlain();
  cleanUp.push(async () => await store?.close());
  const busy = new Map<string, Promise<unknown>>();
  return {
    kind,
    engine: base.engine,
    tools,
    server,
    second: async () => {
      second ??= startSecond();
      return await second;
    },
    get store() {
      store ??= base.openPlain();
      return store;
    },
    file: base.file,
    database: base.database,
    adminUrl: base.adminUrl,
    cutter: base.cutter,
    link,
    client,
    bystander,
    storeDisk,
    spillDisk,
    network,
    serverClock,
    databaseClock,
    scratchFolder,
    exclusively: async (what, use) => {
      const turn = (busy.get(what) ?? Promise.resolve()).then(use);
      busy.set(
        what,
        turn.catch(() => undefined),
      );
      return await turn;
    },
    lookAway: async () => {
      await store?.close();
      store = undefined;
    },
    stop: async () => await undo(cleanUp),
  };
}

interface Base {
  readonly url: string;
  readonly engine: string;
  readonly file?: string;
  readonly database?: PrivateDatabaseServer;
  readonly adminUrl?: string;
  readonly cutter?: CommitCutter;
  openPlain(): PlainStore;
}

async function startSqlite(folder: string): Promise<Required<Omit<Base, "database" | "adminUrl" | "cutter">> & Base> {
  const file = join(folder, "tailkeep.db");
  return { url: `sqlite:${file}`, engine: "SQLite", file, openPlain: () => plainSqlite(file) };
}

async function startMysql(
  parentFolder: string,
  environment: Readonly<Record<string, string>>,
  cleanUp: CleanUp,
): Promise<Base | Skipped> {
  const database = await startMysqlFamily({ private: true, parentFolder, environment });
  if (isSkipped(database)) return database;
  cleanUp.push(() => database.stop());
  const name = await database.createDatabase();
  const adminUrl = database.url(name);
  const cutter = await CommitCutter.start(database.port);
  cleanUp.push(() => cutter.close());
  // Not root: read_only and a full house do not stop root.
  const admin = await mysql.createConnection({ uri: adminUrl });
  await admin.query("CREATE USER 'tailkeep'@'%' IDENTIFIED BY 'tailkeep'");
  await admin.query(`GRANT ALL ON ${mysql.escapeId(name)}.* TO 'tailkeep'@'%'`);
  await admin.end();
  return {
    url: `mysql://tailkeep:tailkeep@127.0.0.1:${cutter.port}/${name}`,
    engine: `${database.kind} ${database.version.split("-")[0]}`,
    database,
    adminUrl,
    cutter,
    openPlain: () => plainMysql(adminUrl),
  };
}

async function undo(cleanUp: CleanUp): Promise<void> {
  for (const step of cleanUp.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      // The rest is to be undone all the same.
      console.error(`faults: cleaning up: ${String(error)}`);
    }
  }
}

export function pidOf(process: { readonly pid: number | undefined }): number {
  const { pid } = process;
  if (pid === undefined || !existsSync(`/proc/${pid}`)) throw new Error("there is no such process");
  return pid;
}
