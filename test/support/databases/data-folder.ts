/** Makes the data folder of a new server: system tables, and root with an empty password. */
import { spawn } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { exists, type Installation } from "./installation.js";

// MariaDB's own installer is a shell script that expects an installed machine; all it does is to feed these to the
// server. Help texts and the sys schema are left out: nobody asks for them here, and they are most of the time it takes.
const MARIADB_SCRIPTS = ["mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql"];
const MARIADB_SCRIPTS_RENAMED = MARIADB_SCRIPTS.map((name) => name.replace("mysql_", "mariadb_"));

export async function makeDataFolder(
  installation: Installation,
  dataFolder: string,
  options: readonly string[],
): Promise<void> {
  await mkdir(dataFolder, { recursive: true });
  if (installation.kind === "mysql") {
    await runServer(installation, [...options, `--datadir=${dataFolder}`, "--initialize-insecure"], "");
    return;
  }
  await mkdir(join(dataFolder, "mysql"), { recursive: true });
  const statements = ["CREATE DATABASE IF NOT EXISTS mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"];
  for (const script of await findScripts(installation)) statements.push(await readFile(script, "utf8"));
  await runServer(
    installation,
    [...options, `--datadir=${dataFolder}`, "--bootstrap", "--log-warnings=0", "--max-allowed-packet=8M"],
    statements.join("\n"),
  );
}

async function findScripts(installation: Installation): Promise<string[]> {
  for (const folder of installation.shareFolders) {
    for (const names of [MARIADB_SCRIPTS, MARIADB_SCRIPTS_RENAMED]) {
      const paths = names.map((name) => join(folder, name));
      const present = await Promise.all(paths.map((path) => exists(path)));
      if (present.every(Boolean)) return paths;
    }
  }
  throw new Error(`MariaDB's ${MARIADB_SCRIPTS[0]} is in none of ${installation.shareFolders.join(", ")}`);
}

async function runServer(installation: Installation, options: readonly string[], input: string): Promise<void> {
  const [program, ...leading] = installation.command;
  const child = spawn(program, [...leading, "--no-defaults", ...installation.pathOptions, ...options], {
    stdio: ["pipe", "ignore", "pipe"],
    env: installation.environment,
  });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  child.stdin.on("error", () => {}); // It ended before it read everything: its exit code tells the story.
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${program} could not make its system tables (exit code ${code}): ${complaint}`);
}
