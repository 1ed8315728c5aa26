// Makes the checkout ready to run: installs what the package.json files name, then compiles what has changed.
//
// `npm start`, `npm test` and `npm run demo` all begin here, so that a fresh clone needs no other command. When nothing
// has changed it costs the start of one compiler, about half a second.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode } from "../../server/bin/node-version.js";
import { inRoot, ROOT, TSC } from "./paths.js";
import { withSetupLock } from "./setup-lock.js";

const STAMP = inRoot("node_modules", ".tailkeep-setup");

/** Installs if needed and compiles. `projects` are folders with a tsconfig.json; the server brings client and proto. */
export async function setup(projects = ["server"]) {
  await withSetupLock(() => {
    installIfNeeded();
    compile(projects);
    bundle();
  });
}

function installIfNeeded() {
  const wanted = manifestHash();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted && existsSync(TSC)) return;
  say("installing packages");
  rmSync(STAMP, { force: true });
  // A caller's NODE_ENV=production, or `omit` in the user's npm settings, would leave out the compiler or the bundled Node.
  const flags = ["install", "--include=dev", "--include=optional", "--no-progress"];
  const [command, ...first] = npm();
  run(command, [...first, ...flags], {
    what: "npm install failed",
    remedy: "see npm's message above; behind a proxy or a mirror, check `npm config get registry`; then run this again",
    shell: process.platform === "win32" && first.length === 0,
  });
  writeFileSync(STAMP, wanted);
}

function compile(projects) {
  run(process.execPath, [TSC, "-b", ...projects], {
    what: "compiling failed",
    remedy: "fix the errors above; after switching branches, `npx tsc -b --force` compiles everything again",
  });
}

function bundle() {
  // Where there is no Node that runs the server, whoever needs it says so.
  run(findNode(ROOT) ?? process.execPath, [inRoot("server", "dashboard", "build.js")], {
    what: "building the dashboard failed",
    remedy: "fix the errors above, and run this again",
  });
}

/** The npm that runs this script if there is one, so that its version and settings are the caller's. */
function npm() {
  const path = process.env.npm_execpath;
  return path !== undefined && basename(path) === "npm-cli.js" ? [process.execPath, path] : ["npm"];
}

/** What was installed is as good as these files: versions in them are exact, and binaries belong to the platform. */
function manifestHash() {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
  const root = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
  const files = ["package.json", ".npmrc", ...root.workspaces.map((folder) => `${folder}/package.json`)];
  for (const file of files) hash.update(file).update(readFileSync(inRoot(file)));
  return hash.digest("hex");
}

function run(command, args, { what, remedy, shell = false }) {
  // npm's chatter goes to stderr: stdout belongs to the program that runs after setup.
  const done = spawnSync(command, args, { cwd: ROOT, stdio: ["ignore", 2, 2], shell });
  if (done.status === 0) return;
  const reason = done.error ? ` (${done.error.message})` : "";
  say(`${what}${reason}: ${remedy}`);
  process.exit(1);
}

function say(text) {
  console.error(`setup: ${text}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await setup();
  say("ready");
}
