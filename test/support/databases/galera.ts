/**
 * Three MariaDB servers that are one Galera cluster, on loopback, for tests that kill some of them.
 *
 * The first has a data folder of its own; the others get theirs from it by rsync, which is how a node joins a cluster.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { RowDataPacket } from "mysql2/promise";
import { urlWithDatabase, withConnection } from "./connection.js";
import { makeDataFolder } from "./data-folder.js";
import { exists, findOnMachine, type Installation } from "./installation.js";
import { freePort } from "./ports.js";
import type { Skipped } from "./types.js";
import { Watchdog } from "./watchdog.js";

const run = promisify(execFile);

const NODES = 3;
// A node that joins copies the data of another one first: 2 to 4 s on two cores.
const SYNCED_MS_MAX = 60_000;
const POLL_MS = 50;

const PROVIDERS = [
  "/usr/lib/galera/libgalera_smm.so",
  "/usr/lib64/galera-4/libgalera_smm.so",
  "/usr/lib/galera-4/libgalera_smm.so",
];

/** What the copying needs, beside the server itself. */
const PROGRAMS = ["rsync", "lsof", "wsrep_sst_rsync"];

interface User {
  readonly uid: number;
  readonly gid: number;
}

interface Setup {
  readonly installation: Installation;
  readonly provider: string;
  /** Copying refuses to run as root, so there the nodes are those of the user mysql. */
  readonly user: User | undefined;
}

async function setupHere(): Promise<Setup | Skipped> {
  const installation = await findOnMachine();
  if (installation?.kind !== "mariadb") return { skipped: "no MariaDB on this machine: install mariadb-server" };
  const found = await Promise.all(PROVIDERS.map((path) => exists(path)));
  const provider = PROVIDERS.find((_, at) => found[at]);
  if (provider === undefined) return { skipped: "Galera's library is not here: install galera-4" };
  for (const program of PROGRAMS) {
    const there = await run("/bin/sh", ["-c", `command -v ${program}`]).catch(() => undefined);
    if (there === undefined) return { skipped: `Galera copies data with ${program}, which is not here: install it` };
  }
  if (process.getuid?.() !== 0) return { installation, provider, user: undefined };
  const ids = await Promise.all(["-u", "-g"].map((which) => run("id", [which, "mysql"]).catch(() => undefined)));
  const [uid, gid] = ids.map((id) => Number(id?.stdout));
  if (!uid || !gid) return { skipped: "there is no user mysql, and Galera copies no data as root: add that user" };
  return { installation, provider, user: { uid, gid } };
}

interface Ports {
  readonly sql: number;
  readonly group: number;
  readonly incremental: number;
  readonly copy: number;
}

export class GaleraNode {
  readonly #setup: Setup;
  readonly #folder: string;
  readonly #ports: Ports;
  readonly #groups: readonly number[];
  readonly #watchdog: Watchdog;
  #process: ChildProcess | undefined;

  constructor(setup: Setup, folder: string, ports: Ports, groups: readonly number[]) {
    this.#setup = setup;
    this.#folder = folder;
    this.#ports = ports;
    this.#groups = groups;
    this.#watchdog = new Watchdog(folder);
  }

  url(database = ""): string {
    return urlWithDatabase(`mysql://root@127.0.0.1:${this.#ports.sql}/`, database);
  }

  async query(sql: string, database = ""): Promise<RowDataPacket[]> {
    return withConnection(this.url(database), async (connection) => (await connection.query<RowDataPacket[]>(sql))[0]);
  }

  /** Resolves when it has what the others had committed. */
  async untilCaughtUp(): Promise<void> {
    await withConnection(this.url(), async (connection) => {
      await connection.query("SET SESSION wsrep_sync_wait = 1");
      await connection.query("SELECT 1");
    });
  }

  /** Its empty folder; `withTables` also gives it the tables that a server has to have. */
  async prepare(withTables: boolean): Promise<void> {
    const { user, installation } = this.#setup;
    const data = join(this.#folder, "data");
    const folders = [this.#folder, join(this.#folder, "tmp"), data, ...(withTables ? [join(data, "mysql")] : [])];
    for (const folder of folders) {
      await mkdir(folder, { recursive: true });
      if (user !== undefined) await chown(folder, user.uid, user.gid);
    }
    if (withTables) await makeDataFolder(installation, data, this.#commonOptions());
  }

  /** Resolves when it has everything that the others have, and answers. */
  async start(options: { isFirst?: boolean } = {}): Promise<void> {
    const [program, ...leading] = this.#setup.installation.command;
    const output = openSync(join(this.#folder, "output.txt"), "a");
    const own = [...this.#runOptions(), ...(options.isFirst ? ["--wsrep-new-cluster"] : [])];
    const child = spawn(program, [...leading, "--no-defaults", ...own], {
      stdio: ["ignore", output, output],
      env: this.#setup.installation.environment,
      detached: true,
    });
    closeSync(output);
    child.unref();
    this.#process = child;
    child.once("exit", () => {
      this.#process = undefined;
      this.#watchdog.release();
    });
    if (child.pid !== undefined) this.#watchdog.guard(child.pid);
    const giveUpAt = performance.now() + SYNCED_MS_MAX;
    while (!(await this.#isSynced())) {
      if (this.#process === undefined || performance.now() > giveUpAt) {
        const output = await readFile(join(this.#folder, "output.txt"), "utf8").catch(() => "");
        throw new Error(`a Galera node did not join its cluster: ${output.trim().split("\n").slice(-15).join("\n")}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.ref();
    child.kill("SIGKILL");
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    // Ends the watchdog, which removes the folder only where the test itself died.
    this.#watchdog.leave();
  }

  async #isSynced(): Promise<boolean> {
    const rows = await this.query("SHOW STATUS LIKE 'wsrep_local_state_comment'").catch(() => []);
    return rows[0]?.["Value"] === "Synced";
  }

  #commonOptions(): string[] {
    return [`--tmpdir=${join(this.#folder, "tmp")}`, ...(this.#setup.user === undefined ? [] : ["--user=mysql"])];
  }

  #runOptions(): string[] {
    const { sql, group, incremental, copy } = this.#ports;
    const provider = [
      "base_host=127.0.0.1",
      `base_port=${group}`,
      `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
      `ist.recv_addr=127.0.0.1:${incremental}`,
      "gcache.size=32M",
    ];
    return [
      ...this.#commonOptions(),
      `--datadir=${join(this.#folder, "data")}`,
      `--socket=${join(this.#folder, "s.sock")}`,
      `--pid-file=${join(this.#folder, "pid")}`,
      "--bind-address=127.0.0.1",
      `--port=${sql}`,
      "--innodb-buffer-pool-size=64M",
      "--innodb-log-file-size=32M",
      "--innodb-flush-log-at-trx-commit=1",
      "--innodb-autoinc-lock-mode=2",
      "--binlog-format=ROW",
      "--wsrep-on=ON",
      `--wsrep-provider=${this.#setup.provider}`,
      `--wsrep-provider-options=${provider.join(";")}`,
      "--wsrep-cluster-name=tailkeep-test",
      `--wsrep-cluster-address=gcomm://${this.#groups.map((port) => `127.0.0.1:${port}`).join(",")}`,
      `--wsrep-node-name=node-${sql}`,
      "--wsrep-node-address=127.0.0.1",
      `--wsrep-node-incoming-address=127.0.0.1:${sql}`,
      "--wsrep-sst-method=rsync",
      `--wsrep-sst-receive-address=127.0.0.1:${copy}`,
    ];
  }
}

export interface GaleraCluster {
  readonly nodes: readonly [GaleraNode, GaleraNode, GaleraNode];
  stop(): Promise<void>;
}

export async function startGalera(): Promise<GaleraCluster | Skipped> {
  const setup = await setupHere();
  if ("skipped" in setup) return setup;
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-galera-"));
  if (setup.user !== undefined) await chown(folder, setup.user.uid, setup.user.gid);
  const ports: Ports[] = [];
  for (let at = 0; at < NODES; at++) {
    ports.push({
      sql: await freePort(),
      group: await freePort(),
      incremental: await freePort(),
      copy: await freePort(),
    });
  }
  const groups = ports.map(({ group }) => group);
  const nodes = ports.map((own, at) => new GaleraNode(setup, join(folder, `node-${at + 1}`), own, groups));
  const stop = async () => {
    for (const node of nodes) await node.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const [at, node] of nodes.entries()) {
      await node.prepare(at === 0);
      await node.start({ isFirst: at === 0 });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes: nodes as [GaleraNode, GaleraNode, GaleraNode], stop };
}
