/** A server of one test: the command as users run it, on free ports, dead when the test is. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./databases/ports.js";
import { readMetrics } from "./metrics.js";

const TAILKEEP = join(import.meta.dirname, "..", "..", "server", "bin", "tailkeep.js");
const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 20_000;

export interface TailkeepServerOptions {
  /** As TAILKEEP_STORE: `sqlite:/path/file.db`, or a MySQL URL. */
  readonly store: string;
  /** More settings, as the environment has them. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working folder, where a tailkeep.yaml would be found. @default the test's own */
  readonly cwd?: string;
}

export class TailkeepServer {
  /** `127.0.0.1:port`; the same after a restart. */
  readonly grpcAddress: string;
  readonly httpUrl: string;
  readonly #options: TailkeepServerOptions;
  #process: ChildProcess | undefined;
  #output = "";

  private constructor(options: TailkeepServerOptions, grpcPort: number, httpPort: number) {
    this.#options = options;
    this.grpcAddress = `127.0.0.1:${grpcPort}`;
    this.httpUrl = `http://127.0.0.1:${httpPort}`;
  }

  static async start(options: TailkeepServerOptions): Promise<TailkeepServer> {
    const server = new TailkeepServer(options, await freePort(), await freePort());
    await server.start();
    return server;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }
  /** It ended, and nobody had asked it to. */
  get hasEnded(): boolean {
    const child = this.#process;
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
  }
  /** The newest of what it wrote to stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  metrics(): Promise<Map<string, number>> {
    return readMetrics(this.httpUrl);
  }

  async start(): Promise<void> {
    const { store, env, cwd } = this.#options;
    const child = spawn(process.execPath, [TAILKEEP, "serve"], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...foreignEnvironment(),
        TAILKEEP_STORE: store,
        TAILKEEP_GRPC_ADDR: this.grpcAddress,
        TAILKEEP_HTTP_ADDR: new URL(this.httpUrl).host,
        ...env,
      },
    });
    this.#process = child;
    const endWithTest = () => child.kill("SIGKILL");
    process.once("exit", endWithTest);
    child.once("exit", () => process.off("exit", endWithTest));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    }
    await this.#untilReady(child);
  }

  /** Asks it to end, and returns its exit code. */
  async stop(): Promise<number | null> {
    return await this.#end("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const giveUpAt = performance.now() + READY_MS_MAX;
    for (;;) {
      const answer = await fetch(`${this.httpUrl}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > giveUpAt) {
        child.kill("SIGKILL");
        // Its last words come after its exit.
        if (child.stderr?.closed === false) await once(child, "close");
        const end = child.signalCode ?? `exit code ${child.exitCode}`;
        throw new Error(`tailkeep serve is not ready (${end}):\n${this.#output}`);
      }
      await sleep(50);
    }
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    await ended;
    clearTimeout(late);
    return child.exitCode;
  }
}

/** Without the settings of whoever runs the tests. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("TAILKEEP_")));
}
