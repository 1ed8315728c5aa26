// `npm run dev`: compiles on every change and restarts the server. Arguments go to `tailkeep serve`.
import { spawn } from "node:child_process";
import { inRoot, ROOT, serverNode, TAILKEEP, TSC } from "./paths.js";
import { setup } from "./setup.js";

await setup();
const node = serverNode();
const compiler = spawn(node, [TSC, "-b", "--watch", "--preserveWatchOutput", "server"], {
  cwd: ROOT,
  stdio: "inherit",
});
// Node's own watcher follows the modules that were loaded, so a change in client or proto restarts it as well.
const watched = ["server", "client", "proto"].map((name) => `--watch-path=${inRoot(name, "dist")}`);
const server = spawn(node, [...watched, "--watch-preserve-output", TAILKEEP, "serve", ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: "inherit",
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => endBoth(signal));
compiler.on("exit", (code) => endBoth("SIGTERM", code));
server.on("exit", (code) => endBoth("SIGTERM", code));

function endBoth(signal, code) {
  if (code) process.exitCode = code;
  compiler.kill(signal);
  server.kill(signal);
}
