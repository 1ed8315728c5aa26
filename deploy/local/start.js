// `npm start`: the server on the embedded store, from a fresh clone if need be. Arguments go to `tailkeep serve`.
import { runForwarding } from "../../server/bin/run-forwarding.js";
import { serverNode, TAILKEEP } from "./paths.js";
import { setup } from "./setup.js";

await setup();
const error = await runForwarding(serverNode(), [TAILKEEP, "serve", ...process.argv.slice(2)]);
console.error(`start: the server could not be started: ${error.message}`);
process.exitCode = 1;
