// Where things are in the checkout, and which Node runs them.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode, NODE_VERSION_MIN } from "../../server/bin/node-version.js";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A path in the checkout. */
export const inRoot = (...parts) => join(ROOT, ...parts);

export const TAILKEEP = inRoot("server", "bin", "tailkeep.js");
export const TSC = inRoot("node_modules", "typescript", "bin", "tsc");
export const VITEST = inRoot("node_modules", "vitest", "vitest.mjs");

/** The Node that server and tests run on; ends the process with one line where there is none. Call after setup. */
export function serverNode() {
  const node = findNode(ROOT);
  if (node !== undefined) return node;
  console.error(
    `setup: no Node ${NODE_VERSION_MIN} or later: this is ${process.versions.node}, and npm has no bundled one for ` +
      `${process.platform}-${process.arch}; install Node 24 and run the command again`,
  );
  process.exit(1);
}
