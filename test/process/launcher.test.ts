// The `tailkeep` command before it is the command: which Node runs it, and that nothing is lost on the way.
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const OLD_NODE = findOldNode();

// Stands for the server: says which Node it runs on, and how it ends is up to the test.
const FAKE_MAIN = `
  const [what, value] = process.argv.slice(2);
  process.on("SIGTERM", () => { console.log("caught SIGTERM"); process.exit(9); });
  process.on("SIGINT", () => { console.log("caught SIGINT"); process.exit(8); });
  console.log("node " + process.versions.node, JSON.stringify(process.argv.slice(2)));
  if (what === "exit") process.exit(Number(value));
  if (what === "die") process.kill(process.pid, value);
  if (what === "wait") setInterval(() => {}, 1000);
`;

let folder: string;
let command: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tailkeep-launcher-"));
  cpSync(join(CHECKOUT, "server", "bin"), join(folder, "server", "bin"), { recursive: true });
  writeFileSync(join(folder, "server", "package.json"), '{ "type": "module" }');
  mkdirSync(join(folder, "server", "dist", "cli"), { recursive: true });
  writeFileSync(join(folder, "server", "dist", "cli", "main.js"), FAKE_MAIN);
  command = join(folder, "server", "bin", "tailkeep.js");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("on a Node that is recent enough", () => {
  test("runs in this very process", async () => {
    const launched = await finished(spawn(process.execPath, [command, "exit", "5", "--flag", "a b"]));
    expect(launched).toEqual({
      code: 5,
      signal: null,
      out: `node ${process.versions.node} ["exit","5","--flag","a b"]\n`,
      err: "",
    });
  });

  test("says in one line that it is not built", async () => {
    rmSync(join(folder, "server", "dist"), { recursive: true });
    const launched = await finished(spawn(process.execPath, [command, "serve"]));
    expect(launched).toMatchObject({ code: 1, out: "" });
    expect(launched.err).toBe("tailkeep is not built yet: run `npm run setup` in the checkout\n");
  });
});

describe.skipIf(OLD_NODE === undefined)("on an older Node, which this machine must have", () => {
  const old = OLD_NODE ?? "";

  test("runs on the bundled Node, with the arguments as they were", async () => {
    bundleNode();
    const launched = await finished(spawn(old, [command, "exit", "0", "--flag", "a b", ""]));
    expect(launched).toEqual({
      code: 0,
      signal: null,
      out: `node ${process.versions.node} ["exit","0","--flag","a b",""]\n`,
      err: "",
    });
  });

  test("finds the bundled Node in a folder further up, past one that is too old", async () => {
    bundleNode();
    bundleScript(join(folder, "server"), "echo v24.0.0");
    const launched = await finished(spawn(old, [command, "exit", "0"]));
    expect(launched.out).toContain(`node ${process.versions.node} `);
  });

  test("forwards the exit code", async () => {
    bundleNode();
    expect(await finished(spawn(old, [command, "exit", "3"]))).toMatchObject({ code: 3, signal: null });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("forwards %s, once", async (signal) => {
    bundleNode();
    const launcher = spawn(old, [command, "wait"]);
    const ended = finished(launcher);
    await once(launcher.stdout, "data");
    launcher.kill(signal);
    const { code, out } = await ended;
    expect(code).toBe(signal === "SIGTERM" ? 9 : 8);
    expect(out.match(/caught/g)).toHaveLength(1);
  });

  test("dies of the signal that the server died of", async () => {
    bundleNode();
    expect(await finished(spawn(old, [command, "die", "SIGKILL"]))).toMatchObject({ code: null, signal: "SIGKILL" });
  });

  test.each([
    ["there is none", () => {}],
    ["the bundled one is too old", () => bundleScript(folder, "echo v24.18.0")],
    ["the bundled one does not run here", () => bundleScript(folder, "exit 127")],
  ])("says in one line what to do where %s", async (_name, arrange) => {
    arrange();
    const launched = await finished(spawn(old, [command, "serve"]));
    expect(launched).toMatchObject({ code: 1, out: "" });
    expect(launched.err).toMatch(/^tailkeep needs Node 24\.18\.1 or later and this is [\d.]+: .*npm run setup.*\n$/);
  });
});

/** Puts the Node of this test run where npm would put the bundled one. */
function bundleNode() {
  bundleScript(folder, `exec "${process.execPath}" "$@"`);
}

function bundleScript(above: string, body: string) {
  const bin = join(above, "node_modules", `node-${process.platform}-${process.arch}`, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "node"), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, "node"), 0o755);
}

async function finished(child: ChildProcessWithoutNullStreams) {
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const [out, err, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, signal, out, err };
}

/** The machine's own Node, where it is one that the server does not run on. */
function findOldNode(): string | undefined {
  const folders = ["/usr/bin", "/usr/local/bin", ...(process.env["PATH"] ?? "").split(delimiter)];
  return folders
    .map((path) => join(path, "node"))
    .find((node) => {
      try {
        const version = execFileSync(node, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
        return /^v(20|22)\./.test(version);
      } catch {
        return false;
      }
    });
}
