/** Versions, and room on the disk that an embedded store is on. */
import { access, constants, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { VERSION } from "../base/version.js";
import type { Config } from "../config/schema.js";
import { fileOf } from "../store/open-store.js";
import { error, type Finding, ok, warning } from "./finding.js";

const MIB = 1_048_576;

/** SQLite fails at its next commit when there is none; a day of a busy trainer takes about this. */
const FREE_BYTES_LOW = 1_024 * MIB;
/** What the write-ahead log alone may take between two checkpoints, and some. */
const FREE_BYTES_MIN = 128 * MIB;

export function checkVersions(): Finding {
  const db = new DatabaseSync(":memory:");
  const sqlite = String(Object.values(db.prepare("SELECT sqlite_version()").get() ?? {})[0]);
  db.close();
  return ok(
    "versions",
    `Tailkeep ${VERSION}, Node ${process.versions.node}, SQLite ${sqlite}, ${process.platform} ${process.arch}`,
  );
}

export async function checkDisk({ store }: Config): Promise<Finding[]> {
  const file = fileOf(store);
  if (file === undefined) return [];
  const folder = await nearestFolder(dirname(resolve(file)));
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${Math.round(free / MIB).toLocaleString("en")} MiB free at ${folder}`;
  const remedy = "make room, or move the file with TAILKEEP_STORE";
  const room =
    free < FREE_BYTES_MIN
      ? error("disk", message, remedy)
      : free < FREE_BYTES_LOW
        ? warning("disk", message, remedy)
        : ok("disk", message);
  const isWritable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isWritable) return [room];
  return [
    room,
    error(
      "disk",
      `${folder} cannot be written to`,
      "give this user the right to, or choose another file with TAILKEEP_STORE",
    ),
  ];
}

/** The folder, or the first above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : await nearestFolder(dirname(folder));
}
