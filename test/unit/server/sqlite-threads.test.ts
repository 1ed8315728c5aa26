// The threads of the embedded store: a failed start leaves no lock behind, and a thread that died is replaced.
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "@tailkeep/server/dist/store/sqlite/sqlite-store.js";
import { Thread } from "@tailkeep/server/dist/store/sqlite/thread.js";
import { afterEach, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tailkeep-threads-"));
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});

const settings = (file: string) => ({
  file,
  retention: { days: [1, 1, 1, 1, 1, 1], daysIn: new Map<string, number[]>() },
  rollupDays: 365,
  deadLetterBytesMax: 1_000,
});

function storeOn(file: string): SqliteStore {
  const store = new SqliteStore(settings(file));
  ends.push(() => store.close());
  return store;
}

/** The writer's or the reader's thread, with one more operation: to die. */
function mortal(name: "writer" | "reader", file: string): Thread {
  const module = import.meta.resolve(`@tailkeep/server/dist/store/sqlite/${name}.js`);
  const code = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ op }) => { if (op === "die") process.exit(3); });
    await import(${JSON.stringify(module)});`;
  const thread = new Thread(new URL(`data:text/javascript,${encodeURIComponent(code)}`), settings(file));
  ends.push(() => thread.end());
  return thread;
}

test("a data file that cannot be opened is no second server, and may be opened later", async () => {
  const file = join(folder, "t.db");
  mkdirSync(file);
  const store = storeOn(file);
  for (let tried = 0; tried < 2; tried++)
    await expect(store.start()).rejects.toMatchObject({ code: "SQLITE_CANTOPEN" });
  rmdirSync(file);
  await expect(store.start()).resolves.toMatchObject({ durable: true });
  await expect(storeOn(file).start()).rejects.toMatchObject({ code: "SECOND_SERVER", kind: "misconfigured" });
});

test.each(["writer", "reader"] as const)("a %s that died is replaced by the next call", async (name) => {
  const file = join(folder, "t.db");
  const writer = mortal("writer", file);
  await writer.call("start");
  const thread = name === "writer" ? writer : mortal("reader", file);
  await thread.call("ping");
  for (let death = 0; death < 2; death++) {
    const died = thread.call("die");
    const behind = thread.call("ping");
    await expect(died).rejects.toMatchObject({ code: "THREAD_ENDED", kind: "unavailable" });
    await expect(behind).rejects.toMatchObject({ code: "THREAD_ENDED" });
    await thread.call("ping");
    // What only a started writer can do.
    if (name === "writer") expect(await thread.call("commit", [], new Map())).toEqual([]);
  }
  await thread.end();
  await expect(thread.call("ping")).rejects.toMatchObject({ code: "CLOSED" });
});
