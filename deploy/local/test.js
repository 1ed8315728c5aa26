// `npm test`: every test, from a fresh clone if need be. Arguments go to vitest: `npm test -- unit`,
// `npm test -- process/launcher`, `npm test -- -t "part of a name"`.
import { runForwarding } from "../../server/bin/run-forwarding.js";
import { inRoot, ROOT, serverNode, VITEST } from "./paths.js";
import { setup } from "./setup.js";

await setup();
const error = await runForwarding(serverNode(), [VITEST, "run", "--root", inRoot("test"), ...process.argv.slice(2)], {
  cwd: ROOT,
});
console.error(`test: vitest could not be started: ${error.message}`);
process.exitCode = 1;
