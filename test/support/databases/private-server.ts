/**
 * A database server that belongs to one test: its own folder, port and socket, durable at every commit.
 *
 *   running --pause--> paused --resume--> running
 *   running, paused --kill--> killed --start--> running
 *   any --stop--> stopped (folder removed)
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askVersion, OwnDatabases, urlWithDatabase } from "./connection.js";
import { makeDataFolder } from "./data-folder.js";
import type { Installation } from "./installation.js";
import { freePort } from "./ports.js";
import type { DatabaseKind, PrivateDatabaseServer, PrivateServerOptions } from "./types.js";
import { Watchdog } from "./watchdog.js";

// A start with crash recovery on a loaded two-core machine took up to 6 s.
const START_TIMEOUT_MS = 60_000;
const START_POLL_MS = 25;

type State = "running" | "paused" | "killed" | "stopped";

export async function startPrivateServer(
  installation: Installation,
  options: PrivateServerOptions = {},
): Promise<PrivateDatabaseServer> {
  const folder = await mkdtemp(join(options.parentFolder ?? tmpdir(), "tailkeep-db-"));
  const server = new PrivateServer(installation, folder, await freePort(), options);
  try {
    await server.initialize();
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class PrivateServer implements PrivateDatabaseServer {
  readonly kind: DatabaseKind;
  readonly port: number;
  version = "";
  private readonly installation: Installation;
  private readonly folder: string;
  private readonly options: PrivateServerOptions;
  private readonly watchdog: Watchdog;
  private readonly databases: OwnDatabases;
  private state: State = "killed";
  private process: ChildProcess | undefined;

  constructor(installation: Installation, folder: string, port: number, options: PrivateServerOptions) {
    this.installation = installation;
    this.kind = installation.kind;
    this.folder = folder;
    this.port = port;
    this.options = options;
    this.watchdog = new Watchdog(folder);
    this.databases = new OwnDatabases(this.url());
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  url(database = ""): string {
    return urlWithDatabase(`mysql://root@127.0.0.1:${this.port}/`, database);
  }

  async createDatabase(name?: string): Promise<string> {
    return await this.databases.create(name);
  }

  async initialize(): Promise<void> {
    await mkdir(join(this.folder, "tmp"));
    await makeDataFolder(this.installation, join(this.folder, "data"), this.commonOptions());
  }

  async start(): Promise<void> {
    this.expectState("start", "killed");
    this.spawnServer();
    this.state = "running";
    const giveUpAt = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        this.version = await askVersion(this.url());
        return;
      } catch (error) {
        if (!this.process) throw new Error(`the database server ended while starting: ${await this.lastWords()}`);
        if (performance.now() > giveUpAt) {
          throw new Error(`the database server did not answer in ${START_TIMEOUT_MS} ms: ${await this.lastWords()}`, {
            cause: error,
          });
        }
        await sleep(START_POLL_MS);
      }
    }
  }

  async kill(): Promise<void> {
    this.expectState("kill", "running", "paused");
    await this.endProcess();
    this.state = "killed";
  }

  pause(): void {
    this.expectState("pause", "running");
    this.process?.kill("SIGSTOP");
    this.state = "paused";
  }

  resume(): void {
    this.expectState("resume", "paused");
    this.process?.kill("SIGCONT");
    this.state = "running";
  }

  async stop(): Promise<void> {
    if (this.state === "stopped") return;
    this.state = "stopped";
    // Its data goes with it: an orderly shutdown would only cost a second.
    await this.endProcess();
    await rm(this.folder, { recursive: true, force: true });
    this.watchdog.leave();
  }

  private spawnServer(): void {
    const [program, ...leading] = this.installation.command;
    const output = openSync(join(this.folder, "output.txt"), "a");
    const child = spawn(
      program,
      [...leading, "--no-defaults", ...this.installation.pathOptions, ...this.runOptions()],
      {
        stdio: ["ignore", output, output],
        env: { ...this.installation.environment, ...this.options.environment },
        detached: true, // An interrupt typed at the terminal must not reach it before the test has ended.
      },
    );
    closeSync(output);
    child.unref();
    this.process = child;
    const forget = (): void => {
      if (this.process !== child) return;
      this.process = undefined;
      this.watchdog.release();
    };
    child.once("error", forget);
    child.once("exit", forget);
    if (child.pid !== undefined) this.watchdog.guard(child.pid);
  }

  private async endProcess(): Promise<void> {
    const child = this.process;
    if (!child) return;
    const gone = once(child, "exit");
    child.ref();
    child.kill("SIGKILL"); // Works on a stopped process too.
    await gone;
  }

  private commonOptions(): string[] {
    const isRoot = process.getuid?.() === 0;
    return [`--tmpdir=${join(this.folder, "tmp")}`, ...(isRoot ? ["--user=root"] : [])];
  }

  private runOptions(): string[] {
    const { bufferPoolMegabytes = 64, serverArguments = [] } = this.options;
    return [
      ...this.commonOptions(),
      `--datadir=${join(this.folder, "data")}`,
      `--socket=${join(this.folder, "s.sock")}`,
      `--pid-file=${join(this.folder, "pid")}`,
      "--bind-address=127.0.0.1",
      `--port=${this.port}`,
      `--innodb-buffer-pool-size=${bufferPoolMegabytes}M`,
      "--innodb-flush-log-at-trx-commit=1",
      ...(this.kind === "mysql" ? ["--mysqlx=OFF"] : []),
      ...serverArguments,
    ];
  }

  private async lastWords(): Promise<string> {
    const output = await readFile(join(this.folder, "output.txt"), "utf8").catch(() => "");
    return output.trim().split("\n").slice(-15).join("\n");
  }

  private expectState(action: string, ...allowed: State[]): void {
    if (!allowed.includes(this.state)) throw new Error(`cannot ${action} a database server that is ${this.state}`);
  }
}
