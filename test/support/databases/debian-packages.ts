/**
 * A server from the distribution's own packages, unpacked into the cache folder. Nothing is installed: apt works on
 * lists, state and cache of its own, as any user, and the program runs with its library path set.
 */
import { execFile } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachedFolder } from "./cache-folder.js";
import { exists, type Installation, shareFoldersOf } from "./installation.js";
import type { DatabaseKind } from "./types.js";

const run = promisify(execFile);

/** Names of the package that holds just the server program, on the Debian and Ubuntu releases in use. */
const PACKAGES = ["mariadb-server-core", "mariadb-server-core-10.6", "mysql-server-core-8.4", "mysql-server-core-8.0"];

export async function unpackFromDistribution(
  dpkgStatusFile = "/var/lib/dpkg/status",
): Promise<Installation | undefined> {
  if (process.platform !== "linux" || !(await exists(dpkgStatusFile))) return undefined;
  const folder = await cachedFolder("server-packages", (target) => fillFolder(target, dpkgStatusFile));
  return await describeUnpacked(join(folder, "root"));
}

async function fillFolder(target: string, dpkgStatusFile: string): Promise<void> {
  await withPrivateApt(target, dpkgStatusFile, async (aptGet, unpackDownloads) => {
    await aptGet("download", ...(await packagesToUnpack(aptGet)));
    await unpackDownloads();
  });
}

type AptGet = (...args: string[]) => Promise<string>;

/** Runs `work` with an apt of its own; what it downloads and unpacks is then in `root` below `target`. */
async function withPrivateApt(
  target: string,
  dpkgStatusFile: string,
  work: (aptGet: AptGet, unpackDownloads: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const root = join(target, "root");
  const downloads = join(target, "downloads");
  const apt = join(target, "apt");
  for (const folder of [root, downloads, join(apt, "lists/partial"), join(apt, "cache/archives/partial")]) {
    await mkdir(folder, { recursive: true });
  }
  const config = join(apt, "apt.conf");
  await writeFile(
    config,
    [
      `Dir::State::lists "${join(apt, "lists")}";`,
      `Dir::State::status "${dpkgStatusFile}";`,
      `Dir::Cache "${join(apt, "cache")}";`,
      'APT::Sandbox::User "";', // Its own download user may not enter the cache folder.
      "",
    ].join("\n"),
  );
  const aptGet = async (...args: string[]): Promise<string> => {
    const options = { cwd: downloads, env: { ...process.env, APT_CONFIG: config, LC_ALL: "C" }, maxBuffer: 64 << 20 };
    return (await run("apt-get", ["-qq", ...args], options)).stdout;
  };
  await aptGet("update");
  await work(aptGet, async () => {
    for (const file of await readdir(downloads)) {
      if (file.endsWith(".deb")) await run("dpkg", ["-x", join(downloads, file), root]);
    }
  });
  await rm(downloads, { recursive: true });
  await rm(apt, { recursive: true });
}

/** The root folder of one package alone, unpacked, for a program that needs nothing else; undefined on other systems. */
export async function unpackPackage(name: string): Promise<string | undefined> {
  const dpkgStatusFile = "/var/lib/dpkg/status";
  if (process.platform !== "linux" || !(await exists(dpkgStatusFile))) return undefined;
  const folder = await cachedFolder(`package-${name}`, (target) =>
    withPrivateApt(target, dpkgStatusFile, async (aptGet, unpackDownloads) => {
      await aptGet("download", name);
      await unpackDownloads();
    }),
  );
  return join(folder, "root");
}

/** The server's package and what the machine lacks for it, each as `name=version`. */
async function packagesToUnpack(aptGet: AptGet): Promise<string[]> {
  let complaint: unknown;
  for (const name of PACKAGES) {
    try {
      const plan = await aptGet("--no-install-recommends", "--simulate", "install", name);
      const found = [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(
        ([, pkg, version]) => `${pkg}=${version}`,
      );
      // Installed already: still unpacked, because the machine's own copy would have been used if it ran.
      return found.length > 0 ? found : [name];
    } catch (error) {
      complaint ??= error;
    }
  }
  throw new Error(`the distribution offers none of ${PACKAGES.join(", ")}`, { cause: complaint });
}

async function describeUnpacked(root: string): Promise<Installation> {
  const kind: DatabaseKind = (await exists(join(root, "usr/sbin/mariadbd"))) ? "mariadb" : "mysql";
  const libraries = await libraryFolders(root);
  const shareFolders = shareFoldersOf(join(root, "usr"));
  return {
    kind,
    command: [join(root, "usr/sbin", kind === "mariadb" ? "mariadbd" : "mysqld")],
    pathOptions: [
      `--basedir=${join(root, "usr")}`,
      `--lc-messages-dir=${shareFolders[0]}`,
      `--character-sets-dir=${shareFolders[0]}/charsets`,
      `--plugin-dir=${join(root, "usr/lib/mysql/plugin")}`,
    ],
    environment: { ...process.env, LD_LIBRARY_PATH: libraries.join(":") },
    shareFolders,
  };
}

/** `usr/lib/x86_64-linux-gnu` and the like: the name depends on the machine, and older releases have it under `lib`. */
async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const parent of [join(root, "usr/lib"), join(root, "lib")]) {
    for (const entry of await readdir(parent).catch(() => [])) {
      if (entry.includes("-linux-gnu")) folders.push(join(parent, entry));
    }
  }
  return folders;
}
