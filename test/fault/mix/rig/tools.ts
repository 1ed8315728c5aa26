/** What this machine lets a test do to it, asked once, and why not where it does not. */
import { existsSync } from "node:fs";
import { LoopDisk } from "./loop-disk.js";
import { NetworkNamespace } from "./network-namespace.js";
import { works } from "./shell.js";

/** Why not; undefined: it can be had. */
type Missing = string | undefined;

export interface Tools {
  /** File systems of our own. */
  readonly disks: Missing;
  /** Networks of our own. */
  readonly networks: Missing;
  readonly strace: Missing;
  readonly faketime: Missing;
  /** MariaDB's clients, which a server's own package does not have. */
  readonly mariadbDump: Missing;
}

const FAKETIME_LIBRARIES = ["x86_64", "aarch64"].map(
  (machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`,
);

export const faketimeLibrary = FAKETIME_LIBRARIES.find((path) => existsSync(path));

export async function askForTools(): Promise<Tools> {
  if (process.platform !== "linux") {
    const missing = "takes Linux";
    return { disks: missing, networks: missing, strace: missing, faketime: missing, mariadbDump: missing };
  }
  return {
    disks: await disks(),
    networks: await networks(),
    strace: (await works("strace", "-f", "-o", "/dev/null", "true"))
      ? undefined
      : "takes strace, and the right to use it",
    faketime: faketimeLibrary === undefined ? "takes libfaketime (Debian: apt-get install libfaketime)" : undefined,
    mariadbDump:
      (await works("mariadb-dump", "--version")) && (await works("mariadb", "--version"))
        ? undefined
        : "takes mariadb-dump and mariadb (Debian: apt-get install mariadb-client)",
  };
}

async function disks(): Promise<Missing> {
  if (process.getuid?.() !== 0) return "takes root, to mount file systems";
  if (!(await works("xfs_io", "-V"))) return "takes xfs_io (Debian: apt-get install xfsprogs)";
  return await possible(async () => await (await LoopDisk.make("ext4", 16)).remove());
}

async function networks(): Promise<Missing> {
  if (process.getuid?.() !== 0) return "takes root, to make network namespaces";
  if (!(await works("nft", "--version"))) return "takes nft (Debian: apt-get install nftables)";
  if (!(await works("tc", "-V"))) return "takes tc (Debian: apt-get install iproute2)";
  return await possible(async () => await (await NetworkNamespace.make()).remove());
}

async function possible(attempt: () => Promise<void>): Promise<Missing> {
  return await attempt().then(
    () => undefined,
    (error: unknown) => `this machine does not allow it: ${String(error).split("\n")[0]}`,
  );
}
