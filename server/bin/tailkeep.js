#!/usr/bin/env node
// The `tailkeep` command. Committed as it is, because npm links a bin at the first install only if it exists by then,
// and because it is what an old Node must be able to read.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findNode, NODE_VERSION_MIN } from "./node-version.js";
import { runForwarding } from "./run-forwarding.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const main = new URL("../dist/cli/main.js", import.meta.url);
const node = findNode(here);

if (node === undefined) {
  fail(
    `needs Node ${NODE_VERSION_MIN} or later and this is ${process.versions.node}: ` +
      "install a newer Node, or run `npm run setup` in the checkout, which brings one",
  );
} else if (!existsSync(main)) {
  fail("is not built yet: run `npm run setup` in the checkout");
} else if (node === process.execPath) {
  await import(main.href);
} else {
  const error = await runForwarding(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
  fail(`could not start ${node}: ${error.message}`);
}

function fail(reason) {
  console.error(`tailkeep ${reason}`);
  process.exitCode = 1;
}
