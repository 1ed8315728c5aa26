/**
 * The real MySQL 9, which Debian 12 does not have. A script that lies beside the repository knows how to fetch and
 * unpack it; its folder is kept in the cache, and from then on servers are started from there as any other.
 */
import { execFile } from "node:child_process";
import { readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { cachedFolder } from "./cache-folder.js";
import { exists, type Installation } from "./installation.js";
import { freePort } from "./ports.js";
import { startPrivateServer } from "./private-server.js";
import type { PrivateDatabaseServer, PrivateServerOptions, Skipped } from "./types.js";

const run = promisify(execFile);
const REPOSITORY = resolve(import.meta.dirname, "../../..");

export async function startMysql9(options: PrivateServerOptions = {}): Promise<PrivateDatabaseServer | Skipped> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return {
      skipped: "MySQL 9 is tested on x64 Linux only; set TAILKEEP_TEST_MYSQL_URL to test against one elsewhere",
    };
  }
  const script = join(
    resolve(process.env["TAILKEEP_SHARED_DIR"] || join(REPOSITORY, "../shared")),
    "servers/mysql-9.sh",
  );
  let folder: string;
  try {
    folder = await cachedFolder("mysql-9", async (target) => {
      if (!(await exists(script))) throw new Error("set TAILKEEP_SHARED_DIR to the folder that has servers/mysql-9.sh");
      await unpackWithScript(script, target);
    });
  } catch (error) {
    return { skipped: `no MySQL 9 here: ${firstLine(error)}` };
  }
  return await startPrivateServer(describeUnpacked(join(folder, "root")), options);
}

/** The script unpacks and starts in one step: its server is ended at once, and only the unpacked files are kept. */
async function unpackWithScript(script: string, target: string): Promise<void> {
  const work = join(target, "script");
  await run("bash", [script, work, String(await freePort())], { maxBuffer: 64 << 20 });
  const pid = Number(await readFile(join(work, "pid"), "utf8"));
  process.kill(pid, "SIGKILL");
  while (await exists(`/proc/${pid}/exe`)) await sleep(20);
  await rename(join(work, "root"), join(target, "root"));
  await rm(work, { recursive: true });
}

function describeUnpacked(root: string): Installation {
  const usr = join(root, "usr");
  return {
    kind: "mysql",
    command: [
      join(usr, "lib64/ld-linux-x86-64.so.2"),
      "--library-path",
      join(usr, "lib/x86_64-linux-gnu"),
      join(usr, "sbin/mysqld"),
    ],
    pathOptions: [
      `--basedir=${usr}`,
      `--lc-messages-dir=${join(usr, "share/mysql")}`,
      `--plugin-dir=${join(usr, "lib/mysql/plugin")}`,
      "--secure-file-priv=NULL",
    ],
    environment: process.env,
    shareFolders: [],
  };
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
