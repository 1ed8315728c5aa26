/** A server program and what it needs to run: found on the machine, or unpacked into the cache folder. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { DatabaseKind } from "./types.js";

const run = promisify(execFile);

export interface Installation {
  readonly kind: DatabaseKind;
  /** The program, and what must precede the server's own options. */
  readonly command: readonly [string, ...string[]];
  /** Options that every call needs to find its files. */
  readonly pathOptions: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Folders in which MariaDB's system table scripts may be. */
  readonly shareFolders: readonly string[];
}

const PROGRAMS = ["mariadbd", "mysqld"];

const FOLDERS = [
  ...(process.env["PATH"] ?? "").split(delimiter),
  "/usr/sbin",
  "/usr/libexec",
  "/usr/local/sbin",
  "/usr/local/mysql/bin",
  "/usr/local/mariadb/bin",
  ...["/opt/homebrew", "/usr/local"].flatMap((prefix) => [
    join(prefix, "bin"),
    join(prefix, "opt/mariadb/bin"),
    join(prefix, "opt/mysql/bin"),
  ]),
];

export async function exists(path: string, mode = constants.F_OK): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}

export async function findOnMachine(): Promise<Installation | undefined> {
  for (const program of PROGRAMS) {
    for (const folder of FOLDERS) {
      const path = join(folder, program);
      if (folder === "" || !(await exists(path, constants.X_OK))) continue;
      const installation = await describe(path);
      if (installation) return installation;
    }
  }
  return undefined;
}

async function describe(program: string): Promise<Installation | undefined> {
  // `mysqld` is often MariaDB under its old name: only the program itself knows.
  const version = await run(program, ["--no-defaults", "--version"]).catch(() => undefined);
  if (!version) return undefined;
  const prefixes = [...new Set([dirname(dirname(await realpath(program))), dirname(dirname(program))])];
  return {
    kind: /mariadb/i.test(version.stdout) ? "mariadb" : "mysql",
    command: [program],
    pathOptions: [],
    environment: process.env,
    shareFolders: prefixes.flatMap((prefix) => shareFoldersOf(prefix)),
  };
}

export function shareFoldersOf(prefix: string): string[] {
  return ["share/mysql", "share/mariadb", "share"].map((folder) => join(prefix, folder));
}
