/**
 * Who owns a folder, and whether that process lives. It must never be called dead while it lives; the other mistake costs
 * a later replay.
 *
 *   owner.sock   answered: alive; refused: dead
 *   owner.json   for where there is no socket (a file system without them, a cleaner of old files): process, its start,
 *                the boot and the process namespace; nothing is concluded about processes that cannot be seen from here
 */

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { errorCode, foldersUpTo } from "./disk.js";
import { askOwnerOf, listenIn, MISSING_MEANS_SILENT, type OwnerSocket, SOCKET_NAME } from "./owner-socket.js";

const OWNER_FILE = "owner.json";
/** Files of a folder that say who owns it, and nothing else. */
export const OWNER_FILES: readonly string[] = [OWNER_FILE, SOCKET_NAME];

const OWNER_ID = /^[0-9a-f]{16}$/;
const UNFINISHED = /^new-[0-9a-f]{16}$/;

export const isOwnerFolder = (name: string): boolean => OWNER_ID.test(name);
export const isUnfinishedFolder = (name: string): boolean => UNFINISHED.test(name);

interface OwnerRecord {
  readonly pid: number;
  /** When the process started, in a form that is only compared; absent where it is not known. */
  readonly started?: string | undefined;
  readonly host: string;
  /** Linux only. */
  readonly boot?: string | undefined;
  readonly pidNamespace?: string | undefined;
}

/** A folder of this process's own. */
export interface OwnFolder {
  readonly id: string;
  readonly path: string;
  /** Folders whose names must become durable before anything in `path` is, innermost first. */
  readonly newFolders: readonly string[];
  /** From here on it is anybody's. */
  release(): Promise<void>;
}

/** Processes and their folders, so that a simulator may substitute its own. */
export interface Owners {
  /** Makes a folder in `base`, which is made where it is missing. Throws what the file system throws. */
  make(base: string): OwnFolder;
  /** Whether the owner of `folder`, whose name is `ownerId`, lives. */
  livenessOf(folder: string, ownerId: string): Promise<Liveness>;
}

class OwnedFolder implements OwnFolder {
  readonly id: string;
  readonly path: string;
  readonly newFolders: readonly string[];
  readonly #socket: OwnerSocket | undefined;

  private constructor(id: string, path: string, newFolders: readonly string[], socket: OwnerSocket | undefined) {
    this.id = id;
    this.path = path;
    this.newFolders = newFolders;
    this.#socket = socket;
  }

  static make(base: string): OwnedFolder {
    const firstMade = fs.mkdirSync(base, { recursive: true, mode: 0o700 });
    const id = randomBytes(8).toString("hex");
    const path = join(base, id);
    // Under another name until it has its socket: what has a name and no living owner is anybody's.
    const unfinished = join(base, `new-${id}`);
    fs.mkdirSync(unfinished, { mode: 0o700 });
    let socket: OwnerSocket | undefined;
    try {
      socket = listenIn(unfinished, id);
      const record: OwnerRecord = {
        pid: process.pid,
        started: startOf(process.pid) ?? (socket === undefined ? startByPsSync(process.pid) : undefined),
        host: hostname(),
        boot: bootId(),
        pidNamespace: pidNamespace(),
      };
      fs.writeFileSync(join(unfinished, OWNER_FILE), `${JSON.stringify(record)}\n`, { mode: 0o600 });
      fs.renameSync(unfinished, path);
    } catch (error) {
      void socket?.close();
      fs.rmSync(unfinished, { recursive: true, force: true });
      throw error;
    }
    const newFolders = firstMade === undefined ? [base] : foldersUpTo(base, dirname(firstMade));
    return new OwnedFolder(id, path, newFolders, socket);
  }

  async release(): Promise<void> {
    for (const name of OWNER_FILES) await fs.promises.rm(join(this.path, name), { force: true }).catch(() => undefined);
    await this.#socket?.close();
  }
}

export type Liveness =
  | { readonly is: "alive" | "dead" }
  /** Nothing can be concluded; `why` ends the sentence "whether its owner lives cannot be told, because". */
  | { readonly is: "unknown"; readonly why: string };

/** The processes of this machine. */
export const machineOwners: Owners = Object.freeze<Owners>({
  make: (base) => OwnedFolder.make(base),
  livenessOf: (folder, ownerId) => livenessOf(folder, ownerId),
});

async function livenessOf(folder: string, ownerId: string): Promise<Liveness> {
  const record = await readOwner(folder);
  const answer = await askOwnerOf(folder, ownerId);
  if (answer === "answers") return { is: "alive" };
  if (answer === "forbidden") return { is: "unknown", why: "it belongs to another user" };
  // Released, or its last write was lost with the machine.
  if (record === undefined) return { is: "dead" };
  if (!isOfThisBoot(record)) {
    // A local disk was left by an earlier boot; one in the network may be in use by another machine.
    if (isOfAnEarlierBoot(record) && (await isLocalDisk(folder))) return { is: "dead" };
    return { is: "unknown", why: `it is process ${record.pid} of the machine ${record.host}` };
  }
  if (answer === "silent" || MISSING_MEANS_SILENT) return { is: "dead" };
  if (record.pidNamespace !== pidNamespace()) {
    return { is: "unknown", why: `it is process ${record.pid} of another container, and has no socket` };
  }
  return { is: (await isRunning(record)) ? "alive" : "dead" };
}

/** Whether its process, if it lives, can be seen from here. */
function isOfThisBoot({ boot, host }: OwnerRecord): boolean {
  const present = bootId();
  return boot !== undefined && present !== undefined ? boot === present : host === hostname();
}

function isOfAnEarlierBoot({ boot }: OwnerRecord): boolean {
  const present = bootId();
  return boot !== undefined && present !== undefined && boot !== present;
}

async function isRunning({ pid, started }: OwnerRecord): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Anything but "no such process" means that there is one.
    if (errorCode(error) === "ESRCH") return false;
  }
  const present = startOf(pid) ?? (await startByPs(pid));
  return started === undefined || present === undefined || started === present;
}

async function readOwner(folder: string): Promise<OwnerRecord | undefined> {
  try {
    const record: unknown = JSON.parse(await fs.promises.readFile(join(folder, OWNER_FILE), "utf8"));
    if (typeof record !== "object" || record === null) return undefined;
    const { pid, host } = record as Partial<OwnerRecord>;
    // 0 and negative numbers would mean groups of processes.
    return Number.isSafeInteger(pid) && (pid ?? 0) > 0 && typeof host === "string"
      ? (record as OwnerRecord)
      : undefined;
  } catch {
    return undefined;
  }
}

const bootId = (): string | undefined => readText("/proc/sys/kernel/random/boot_id");

function pidNamespace(): string | undefined {
  try {
    return fs.readlinkSync("/proc/self/ns/pid");
  } catch {
    return undefined;
  }
}

/** Ticks between the boot and the start of a process; Linux only. */
function startOf(pid: number): string | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything; the start is the twentieth word behind it.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ")[19];
}

const PS_OPTIONS = { encoding: "utf8", timeout: 5_000, env: { ...process.env, LC_ALL: "C", TZ: "UTC" } } as const;
const psArguments = (pid: number): string[] => ["-o", "lstart=", "-p", String(pid)];

function startByPsSync(pid: number): string | undefined {
  if (process.platform === "win32") return undefined;
  try {
    return (
      execFileSync("ps", psArguments(pid), { ...PS_OPTIONS, stdio: ["ignore", "pipe", "ignore"] }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}

function startByPs(pid: number): Promise<string | undefined> {
  if (process.platform === "win32") return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const child = execFile("ps", psArguments(pid), PS_OPTIONS, (error, stdout) => {
      resolve(error === null ? stdout.trim() || undefined : undefined);
    });
    child.unref();
  });
}

/** File systems that several machines may use at once, by their numbers in statfs: NFS, SMB, CIFS, FUSE, Ceph, ... */
const NETWORK_DISKS: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x00c36400, 0x0bd00bd0, 0x47504653, 0x01021997, 0x5346414f,
  0x19830326, 0x01161970, 0x7461636f, 0x786f4256,
]);

async function isLocalDisk(path: string): Promise<boolean> {
  try {
    // Some platforms give the number with a sign.
    return !NETWORK_DISKS.has((await fs.promises.statfs(path)).type >>> 0);
  } catch {
    return false;
  }
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
