// Makes the packages that users install, as npm tarballs.
//
// Each is packed from a copy: a compiler's output folder still has the files of sources that are gone, and the licence
// lies at the root of the checkout, once for all packages.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What is published, each before those that depend on it. */
export const PACKAGES = ["proto", "client"];

/** Packs what is built. Returns the tarballs' paths, in the order of PACKAGES. */
export function packAll(destination) {
  mkdirSync(destination, { recursive: true });
  return PACKAGES.map((name) => pack(join(ROOT, name), destination));
}

function pack(folder, destination) {
  const copy = mkdtempSync(join(tmpdir(), "tailkeep-pack-"));
  try {
    cpSync(folder, copy, { recursive: true, filter: (path) => belongs(folder, relative(folder, path)) });
    cpSync(join(ROOT, "LICENSE"), join(copy, "LICENSE"));
    const npm = ["pack", "--json", "--ignore-scripts", "--pack-destination", destination];
    execFileSync("npm", npm, { cwd: copy, stdio: ["ignore", "pipe", "inherit"], shell: process.platform === "win32" });
    // npm answers in a different shape from version to version; how it names the file has stayed.
    const { name, version } = JSON.parse(readFileSync(join(copy, "package.json"), "utf8"));
    return join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function belongs(folder, path) {
  const parts = path.split(sep);
  if (parts[0] === "node_modules") return false;
  if (parts[0] !== "dist" || !/\.(js|d\.ts)(\.map)?$/.test(path)) return true;
  const source = join("src", ...parts.slice(1)).replace(/\.(js|d\.ts)(\.map)?$/, ".ts");
  return existsSync(join(folder, source));
}
