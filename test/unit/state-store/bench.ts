/** What a test of the state store needs: a real server behind a proxy, a folder, and stores that tell what went wrong. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll } from "vitest";
import { TailkeepClient } from "../../../client/src/client.js";
import { resolveConnectOptions } from "../../../client/src/options.js";
import type { JsonValue } from "../../../client/src/records/training-record.js";
import type { StateConflict } from "../../../client/src/state-store/conflict.js";
import type { StateStoreOptions } from "../../../client/src/state-store/options.js";
import type { StateProblem } from "../../../client/src/state-store/problems.js";
import { StateStore } from "../../../client/src/state-store/state-store.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { SwitchProxy } from "./switch-proxy.js";

/** Far beyond what anything here takes: only a failure waits that long. */
const PATIENCE_MS = 15_000;

/** One for all tests of a file: it takes most of a second to start. */
let shared: Promise<{ server: InProcessServer; folder: Awaited<ReturnType<typeof temporaryFolder>> }> | undefined;

async function startServer() {
  const folder = await temporaryFolder();
  const server = await startInProcess({ store: `sqlite:${join(folder.path, "server.db")}` });
  return { server, folder };
}

afterAll(async () => {
  const running = await shared;
  await running?.server.close();
  await running?.folder.remove();
});

export class Bench {
  readonly folder: string;
  readonly proxy: SwitchProxy;
  readonly conflicts: StateConflict[] = [];
  readonly problems: StateProblem[] = [];
  readonly #stores: StateStore[] = [];
  readonly #direct: TailkeepClient;
  readonly #removeFolder: () => Promise<void>;

  private constructor(folder: string, proxy: SwitchProxy, direct: TailkeepClient, removeFolder: () => Promise<void>) {
    this.folder = folder;
    this.proxy = proxy;
    this.#direct = direct;
    this.#removeFolder = removeFolder;
  }

  /** The database is empty, and so is the folder. */
  static async start(): Promise<Bench> {
    shared ??= startServer();
    const { server } = await shared;
    const folder = await temporaryFolder();
    const direct = new TailkeepClient(resolveConnectOptions({ server: server.grpcAddr }));
    for await (const { name } of direct.state.list()) await direct.state.delete(name);
    return new Bench(folder.path, await SwitchProxy.start(server.grpcAddr), direct, () => folder.remove());
  }

  async end(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close({ timeoutMs: 1 })));
    await this.#direct.close();
    await this.proxy[Symbol.asyncDispose]();
    await this.#removeFolder();
  }

  store(options: StateStoreOptions = {}): StateStore {
    const store = new StateStore({ server: this.proxy.address, folder: this.folder, patienceMs: 500, ...options });
    store.onConflict((conflict) => this.conflicts.push(conflict));
    store.onProblem((problem) => this.problems.push(problem));
    this.#stores.push(store);
    return store;
  }

  /** What the database has, past the store and the proxy, with the store's own member. */
  async raw(name: string): Promise<JsonValue | undefined> {
    return (await this.#direct.state.get(name))?.value;
  }

  async rawPut(name: string, value: JsonValue): Promise<number> {
    return (await this.#direct.state.put(name, value)).version;
  }

  async rawDelete(name: string): Promise<void> {
    await this.#direct.state.delete(name);
  }

  async files(part: string): Promise<string[]> {
    const files: string[] = await readdir(join(this.folder, part)).catch(() => []);
    return files.toSorted((a, b) => (a < b ? -1 : 1));
  }
}

export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
