// A process ends when its own work is done, and leaves what it could not bring into the database to the next.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../support/databases/ports.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";

const STORE = pathToFileURL(join(import.meta.dirname, "../../../client/dist/state-store/state-store.js")).href;

let folder: { path: string; remove(): Promise<void> };
let address: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  address = `127.0.0.1:${await freePort()}`;
});

afterEach(() => folder.remove());

/** Runs a module that has `state`; resolves with its exit code, its milliseconds and what it printed. */
async function run(body: string): Promise<{ code: number | null; ms: number; output: string }> {
  const options = JSON.stringify({ server: address, folder: join(folder.path, "state") });
  const source = `import { StateStore } from ${JSON.stringify(STORE)}; const state = new StateStore(${options}); ${body}`;
  const started = performance.now();
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, ms: performance.now() - started, output: output + errors };
}

async function startServer(): Promise<InProcessServer> {
  return await startInProcess({ store: `sqlite:${join(folder.path, "server.db")}`, grpcAddr: address });
}

test("a store that nobody uses does not keep its process", async () => {
  const { code, ms, output } = await run("");
  expect({ code, output }).toEqual({ code: 0, output: "" });
  expect(ms).toBeLessThan(10_000);
});

test("nor does a server that is away, with documents pending, nor a store that is not closed", async () => {
  const { code, ms, output } = await run(
    'console.log((await state.put("d", 1)).storedIn, (await state.increment("c", "n")).storedIn);',
  );
  expect({ code, output }).toEqual({ code: 0, output: "folder folder\n" });
  expect(ms).toBeLessThan(10_000);
});

test("the next process brings what an earlier one left into the database, and a third finds it there", async () => {
  await run('await state.put("d", { n: 1 }); await state.increment("c", "n", 2);');
  const server = await startServer();
  try {
    // Killed or not, closed or not: the earlier process is gone, and that is enough.
    const second = await run(
      "await state.get('d'); await state.flush(); console.log(state.readings().pendingDocuments);",
    );
    expect(second).toMatchObject({ code: 0, output: "0\n" });
    const third = await run(
      "console.log(JSON.stringify([await state.read('d'), await state.get('c')].map((each) => each.value ?? each)));",
    );
    expect(third).toMatchObject({ code: 0, output: '[{"n":1},{"n":2}]\n' });
    expect(third.ms).toBeLessThan(10_000);
  } finally {
    await server.close();
  }
});

test("an error of the server that nobody awaits is no unhandled rejection of the store's own", async () => {
  const { code, output } = await run(
    'for (let n = 0; n < 50; n++) void state.put("d" + n, n); await new Promise((resolve) => setTimeout(resolve, 1500));',
  );
  expect({ code, output }).toEqual({ code: 0, output: "" });
});
