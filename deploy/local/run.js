// `node deploy/local/run.js FILE [arguments]`: runs a TypeScript file of test/ as it is, after setup.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runForwarding } from "../../server/bin/run-forwarding.js";
import { serverNode } from "./paths.js";
import { setup } from "./setup.js";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node deploy/local/run.js FILE [arguments]");
  process.exit(2);
}
await setup();
const hook = fileURLToPath(new URL("resolve-typescript.js", import.meta.url));
const error = await runForwarding(serverNode(), ["--import", hook, resolve(file), ...args]);
console.error(`run: ${file} could not be started: ${error.message}`);
process.exitCode = 1;
