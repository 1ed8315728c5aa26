// The commands that ask a server's other sides too, where it has TLS and wants a key: from the environment that access.md names.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Authority, hasOpenssl } from "../../support/certificates.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";

const isPossible = await hasOpenssl();
const cleanUp: (() => unknown)[] = [];
let server: InProcessServer;
let env: Record<string, string>;

beforeAll(async () => {
  if (!isPossible) return;
  const folder = await temporaryFolder();
  cleanUp.push(() => folder.remove());
  const authority = await Authority.make(folder.path, "ca");
  const { cert, key } = await authority.sign("server");
  const store = `sqlite:${join(folder.path, "t.db")}`;
  server = await startInProcess({ store, tlsCert: cert, tlsKey: key, requireKeys: "always" });
  cleanUp.push(() => server.close());
  const made = await runCommand(["keys", "create", "--role", "admin", "--in-store"], {
    env: { TAILKEEP_STORE: store },
  });
  const keyFile = join(folder.path, "admin.key");
  await writeFile(keyFile, made.stdout);
  env = { TAILKEEP_SERVER: server.grpcAddr, TAILKEEP_API_KEY_FILE: keyFile, TAILKEEP_CA: authority.certFile };
  // A key that was put straight in the store is known to its servers a second later.
  await vi.waitFor(async () => expect(await runCommand(["stats"], { env })).toMatchObject({ code: 0 }), {
    timeout: 15_000,
  });
}, 60_000);
afterAll(async () => {
  for (const each of cleanUp.reverse()) await each();
});

test.skipIf(!isPossible)("top has the server's figures, with the key of the file and the named authority", async () => {
  const { code, stdout } = await runCommand(["top", "--once", "--http", `https://${server.httpAddr}`], { env });
  expect(code).toBe(0);
  expect(stdout).not.toContain("no figures");
  expect(stdout).toMatch(/^memory +\d+ MiB of /m);
});

test.skipIf(!isPossible)("top says why it has no figures, and never the key", async () => {
  const http = `http://${server.httpAddr}`;
  const { code, stdout, stderr } = await runCommand(["top", "--once", "--http", http], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^server +no figures of the server itself: .*does not answer \(.+\); .*TAILKEEP_CA$/m);
  expect(stdout + stderr).not.toContain("tk_");
});

test.skipIf(!isPossible).each(["", "https://"])(
  "doctor finds a server with TLS, named `%shost:port`",
  async (scheme) => {
    const args = ["doctor", "--json", "--store", "sqlite:./none.db", "--server", `${scheme}${server.grpcAddr}`];
    const { stdout } = await runCommand(args, { env });
    const { findings } = JSON.parse(stdout) as { findings: { check: string }[] };
    expect(findings.filter(({ check }) => check === "server")).toEqual([
      { check: "server", level: "ok", message: `${server.grpcAddr} is serving, with TLS` },
    ]);
  },
);
