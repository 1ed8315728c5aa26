// A backup takes the place of a store that was not closed, and the one who puts it there is killed at every step.
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { backUp, restore } from "@tailkeep/server/dist/backup/index.js";
import { SqliteStore } from "@tailkeep/server/dist/store/sqlite/sqlite-store.js";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "../../support/run-command.js";

const root = mkdtempSync(join(tmpdir(), "tailkeep-restore-"));
const backup = join(root, "monday.db");
/** A store as a killed server leaves it: what it wrote last is in the WAL file alone. */
const killed = join(root, "killed.db");

const settings = {
  retention: { days: [1, 1, 1, 1, 1, 1], daysIn: new Map<string, number[]>() },
  rollupDays: 365,
  deadLetterBytesMax: 1_000,
};

beforeAll(async () => {
  const source = join(root, "source.db");
  const made = new SqliteStore({ ...settings, file: source });
  await made.start();
  await made.close();
  const db = new DatabaseSync(source);
  db.exec("CREATE TABLE marks (id INTEGER PRIMARY KEY, mark TEXT, filler TEXT)");
  const insert = db.prepare("INSERT INTO marks VALUES (?, 'new', ?)");
  for (let id = 0; id < 100; id++) insert.run(id, "x".repeat(1_000));
  await backUp(source, backup, () => undefined);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0");
  db.exec("UPDATE marks SET mark = 'old', filler = id; DELETE FROM marks WHERE id >= 50");
  copyFileSync(source, killed);
  copyFileSync(`${source}-wal`, `${killed}-wal`);
  db.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const folder = join(root, "data");
const store = join(folder, "tailkeep.db");
function layOut(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const end of ["", "-wal"]) copyFileSync(`${killed}${end}`, `${store}${end}`);
}
beforeEach(layOut);

/** What a server would find there. */
function foundIn(file: string): string {
  expect(existsSync(file), `${file} is there`).toBe(true);
  const db = new DatabaseSync(file);
  try {
    expect(Object.values(db.prepare("PRAGMA integrity_check").get() ?? {})).toEqual(["ok"]);
    return db
      .prepare("SELECT mark, COUNT(*) AS n FROM marks GROUP BY mark")
      .all()
      .map(({ mark, n }) => `${String(n)} ${String(mark)}`)
      .join(", ");
  } finally {
    db.close();
  }
}

const OLD = "50 old";
const NEW = "100 new";

/** Runs a restore in a process of its own, in which `patch` has changed `fs`. Returns the signal that ended it. */
async function restoreWith(patch: string, suffix: string): Promise<NodeJS.Signals | null> {
  const index = import.meta.resolve("@tailkeep/server/dist/backup/index.js");
  const source = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    ${patch}
    syncBuiltinESMExports();
    const { restore } = await import(${JSON.stringify(index)});
    restore(${JSON.stringify(backup)}, ${JSON.stringify(store)}, ${JSON.stringify(suffix)});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await once(child, "close");
  if (child.signalCode === null) expect(child.exitCode).toBe(0);
  return child.signalCode;
}

/** Before each call that changes a name, so that every state between them is one that it dies in. */
const killBefore = (call: number) => `
  let calls = 0;
  for (const name of ["linkSync", "renameSync", "rmSync"]) {
    const original = fs[name];
    fs[name] = (...args) => {
      if (++calls === ${call}) process.kill(process.pid, "SIGKILL");
      return original(...args);
    };
  }`;

test("killed anywhere, the name leads to the old or to the new store, and another run ends it", async () => {
  const seen = new Set<string>();
  for (let call = 1, signal: unknown = "SIGKILL"; signal !== null; call++) {
    layOut();
    signal = await restoreWith(killBefore(call), "1");
    seen.add(foundIn(store));
    if (signal !== null) expect(await restoreWith("", "2")).toBeNull();
    expect(foundIn(store)).toBe(NEW);
    const kept = ["1", "2"].map((suffix) => `${store}.replaced-${suffix}`).filter((name) => existsSync(name));
    expect(kept.map(foundIn)).toContain(OLD);
  }
  expect([...seen].sort()).toEqual([NEW, OLD]);
});

test("the old store is kept where a file cannot have two names", async () => {
  const noLinks = `fs.linkSync = () => { throw Object.assign(new Error("no links"), { code: "EPERM" }); };`;
  expect(await restoreWith(noLinks, "1")).toBeNull();
  expect(foundIn(store)).toBe(NEW);
  expect(foundIn(`${store}.replaced-1`)).toBe(OLD);
});

test("what a store left that was moved away does not get into the new one", async () => {
  const bad = join(folder, "bad.db");
  renameSync(store, bad);
  writeFileSync(`${store}-journal`, "");
  const done = await runCommand(["restore", backup, "--store", `sqlite:${store}`, "--json"]);
  expect(done).toMatchObject({ code: 0, stderr: "" });
  expect(foundIn(store)).toBe(NEW);
  const { replaced, leftovers } = JSON.parse(done.stdout) as { replaced: null; leftovers: string[] };
  expect(replaced).toBeNull();
  expect(leftovers).toEqual([
    expect.stringMatching(/\.replaced-[-0-9]+-wal$/),
    expect.stringMatching(/\.replaced-[-0-9]+-journal$/),
  ]);
  renameSync(leftovers[0] as string, `${bad}-wal`);
  expect(foundIn(bad)).toBe(OLD);
});

test("a torn store is replaced, and its WAL file goes with it", () => {
  writeFileSync(store, "no database at all ".repeat(1_000));
  expect(restore(backup, store, "1")).toMatchObject({ replaced: `${store}.replaced-1`, regression: undefined });
  expect(foundIn(store)).toBe(NEW);
  expect(readFileSync(`${store}.replaced-1-wal`)).toEqual(readFileSync(`${killed}-wal`));
});

test("a store that somebody reads is left as it is", { timeout: 60_000 }, () => {
  const reader = new DatabaseSync(store);
  reader.exec("BEGIN; SELECT * FROM marks");
  expect(() => restore(backup, store, "1")).toThrow(`somebody reads ${store}; let that end`);
  reader.close();
  expect(foundIn(store)).toBe(OLD);
  expect(readdirSync(folder).filter((name) => /restoring|replaced/.test(name))).toEqual([]);
});
