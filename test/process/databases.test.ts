import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import mysql from "mysql2/promise";
import { describe, expect, test, vi } from "vitest";
import {
  isSkipped,
  type PrivateDatabaseServer,
  type Skipped,
  sharedMysqlFamily,
  startMysql9,
  startMysqlFamily,
} from "../support/databases/index.js";

async function ask(url: string, sql: string): Promise<mysql.RowDataPacket[]> {
  const connection = await mysql.createConnection({ uri: url });
  try {
    return (await connection.query<mysql.RowDataPacket[]>(sql))[0];
  } finally {
    connection.destroy();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const starters: [string, () => Promise<PrivateDatabaseServer | Skipped>][] = [
  ["the family's server", () => startMysqlFamily({ private: true })],
  ["MySQL 9", () => startMysql9()],
];

describe.each(starters)("a private server: %s", (_name, start) => {
  test("keeps its committed rows over a kill, and answers again after a pause", {
    timeout: 300_000,
  }, async (context) => {
    const server = await start();
    if (isSkipped(server)) return context.skip(server.skipped);
    try {
      const url = server.url(await server.createDatabase());
      await ask(url, "CREATE TABLE kept (n INT PRIMARY KEY)");
      await ask(url, "INSERT INTO kept VALUES (1), (2)");
      const firstPid = server.pid;

      await server.kill();
      expect(server.pid).toBeUndefined();
      await expect(ask(url, "SELECT 1")).rejects.toThrow();
      await server.start();
      expect(server.pid).not.toBe(firstPid);
      expect(await ask(url, "SELECT n FROM kept ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }]);

      server.pause();
      const answer = ask(url, "SELECT COUNT(*) AS rowCount FROM kept");
      expect(await Promise.race([answer, sleep(300, "silence")])).toBe("silence");
      server.resume();
      expect(await answer).toEqual([{ rowCount: 2 }]);

      const settings = await ask(url, "SELECT @@innodb_flush_log_at_trx_commit AS flushed, @@hostname AS host");
      expect(Number(settings[0]?.["flushed"])).toBe(1);
    } finally {
      await server.stop();
    }
    await expect(ask(server.url(), "SELECT 1")).rejects.toThrow();
  });
});

test("a private server dies with the process that started it", { timeout: 120_000 }, async (context) => {
  if (process.platform === "win32") return context.skip("needs a POSIX shell");
  const program = `
    const { startMysqlFamily } = await import(${JSON.stringify(join(import.meta.dirname, "../support/databases/mysql-family.ts"))});
    const server = await startMysqlFamily({ private: true });
    console.log("skipped" in server ? "none" : server.pid);
    setInterval(() => {}, 1000);
  `;
  // Node strips types, but does not look for x.ts where x.js is imported.
  const resolver = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from "node:module";
    registerHooks({ resolve: (specifier, context, next) =>
      next(context.parentURL?.endsWith(".ts") && specifier.startsWith(".")
        ? specifier.replace(/\\.js$/, ".ts") : specifier, context) });
  `)}`;
  const owner = spawn(process.execPath, ["--import", resolver, "--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await Promise.race([once(owner.stdout, "data"), once(owner, "exit")])) as [Buffer | number];
  const pid = Number(line.toString());
  expect(owner.exitCode).toBe(null);
  owner.kill("SIGKILL");
  if (Number.isNaN(pid)) return context.skip("no server here");
  const giveUpAt = performance.now() + 10_000;
  while (isAlive(pid) && performance.now() < giveUpAt) await sleep(50);
  expect(isAlive(pid)).toBe(false);
});

test("the shared server gives each caller databases of its own and takes them back", {
  timeout: 120_000,
}, async (context) => {
  const [one, two] = await Promise.all([sharedMysqlFamily(), sharedMysqlFamily()]);
  if (isSkipped(one) || isSkipped(two)) return context.skip("no server here");
  const name = await one.createDatabase();
  const other = await two.createDatabase();
  expect(other).not.toBe(name);
  expect(await ask(one.url(name), "SELECT DATABASE() AS name")).toEqual([{ name }]);
  await one.stop();
  expect(await ask(two.url(other), "SELECT DATABASE() AS name")).toEqual([{ name: other }]);
  await expect(ask(one.url(name), "SELECT 1")).rejects.toThrow();
  await two.stop();
});

test("a server named by TAILKEEP_TEST_MYSQL_URL is used, and left as it was", { timeout: 120_000 }, async (context) => {
  const somebodys = await startMysqlFamily({ private: true });
  if (isSkipped(somebodys)) return context.skip(somebodys.skipped);
  vi.stubEnv("TAILKEEP_TEST_MYSQL_URL", somebodys.url("mysql"));
  try {
    const before = await ask(somebodys.url(), "SHOW DATABASES");
    const server = await startMysqlFamily();
    if (isSkipped(server)) throw new Error(server.skipped);
    expect(server).toMatchObject({ kind: somebodys.kind, version: somebodys.version });
    const name = await server.createDatabase();
    expect(await ask(server.url(name), "SELECT DATABASE() AS name")).toEqual([{ name }]);
    await server.stop();
    expect(await ask(somebodys.url(), "SHOW DATABASES")).toEqual(before);

    const own = await startMysqlFamily({ private: true });
    if (isSkipped(own)) throw new Error(own.skipped);
    expect(own.port).not.toBe(somebodys.port);
    await own.stop();
  } finally {
    vi.unstubAllEnvs();
    await somebodys.stop();
  }
});
