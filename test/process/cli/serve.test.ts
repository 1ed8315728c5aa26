// What the server says when it cannot start, and that it waits for what may still come.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@tailkeep/client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { isSkipped, startMysqlFamily } from "../../support/databases/index.js";
import { freePort } from "../../support/databases/ports.js";
import { runCommand, startCommand } from "../../support/run-command.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailkeep-serve-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const addresses = async () => ({
  TAILKEEP_GRPC_ADDR: `127.0.0.1:${await freePort()}`,
  TAILKEEP_HTTP_ADDR: `127.0.0.1:${await freePort()}`,
});

/** The one line that is no log of the server's. */
const lastWords = (stderr: string) => stderr.split("\n").filter((line) => line !== "" && !line.startsWith("{"));

test.each([
  ["an unknown port", { TAILKEEP_GRPC_ADDR: "127.0.0.1" }, /TAILKEEP_GRPC_ADDR: must be host:port/],
  ["an unknown store", { TAILKEEP_STORE: "postgres://x" }, /TAILKEEP_STORE: must be sqlite:FILE or mysql:/],
  ["a number that is none", { TAILKEEP_RETENTION_DAYS: "many" }, /TAILKEEP_RETENTION_DAYS: "many" is not a number/],
  [
    "days that are no JSON",
    { TAILKEEP_RETENTION_DAYS_IN: "a: 7" },
    /TAILKEEP_RETENTION_DAYS_IN: must be JSON, such as/,
  ],
  ["days of a namespace that are none", { TAILKEEP_RETENTION_DAYS_IN: '{"a":0}' }, /DAYS_IN: a: Too small/],
  ["a file that is not there", { TAILKEEP_CONFIG: "no.yaml" }, /no\.yaml: no such file/],
])("%s is wrong usage, in one line", async (_what, env, expected) => {
  const { code, stdout, stderr } = await runCommand(["serve"], { env, cwd: folder });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(lastWords(stderr)).toEqual([expect.stringMatching(expected)]);
});

test("a port that is taken is a failure that says which setting chooses another", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  const address = other.address();
  const port = typeof address === "object" ? address?.port : 0;
  for (const name of ["TAILKEEP_GRPC_ADDR", "TAILKEEP_HTTP_ADDR"]) {
    const env = { ...(await addresses()), [name]: `127.0.0.1:${port}` };
    const { code, stderr } = await runCommand(["serve"], { env, cwd: folder });
    expect(code).toBe(1);
    expect(lastWords(stderr)).toEqual([expect.stringContaining(`choose another with ${name}`)]);
  }
});

test("an address that other machines reach is refused unless it is asked for by name", async () => {
  const { code, stderr } = await runCommand(["serve", "--grpc-addr", "0.0.0.0:0"], {
    env: await addresses(),
    cwd: folder,
  });
  expect(code).toBe(1);
  expect(lastWords(stderr)).toEqual([expect.stringContaining("TAILKEEP_ALLOW_UNPROTECTED")]);
});

test("a file that another server has is a failure, not a second writer", async () => {
  const env = { TAILKEEP_STORE: `sqlite:${join(folder, "one.db")}` };
  const first = startCommand(["serve"], { env: { ...env, ...(await addresses()) }, cwd: folder });
  onTestFinished(() => void first.kill("SIGKILL"));
  let said = "";
  first.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  while (!said.includes("store is ready")) await sleep(20);
  const { code, stderr } = await runCommand(["serve"], { env: { ...env, ...(await addresses()) }, cwd: folder });
  expect(code).toBe(1);
  expect(lastWords(stderr)).toEqual([expect.stringMatching(/another server has .*one\.db open; end it, or /)]);

  const ended = once(first, "exit");
  first.kill("SIGTERM");
  await ended;
  expect(first.exitCode).toBe(0);
});

test("a MySQL that is away is said and waited for; once it comes all is well", {
  timeout: 180_000,
}, async (context) => {
  const database = await startMysqlFamily({ private: true });
  if (isSkipped(database)) return context.skip(database.skipped);
  onTestFinished(() => database.stop());
  const store = database.url(await database.createDatabase());
  await database.kill();

  const env = await addresses();
  const server = startCommand(["serve"], { env: { ...env, TAILKEEP_STORE: store }, cwd: folder });
  onTestFinished(() => void server.kill("SIGKILL"));
  let said = "";
  server.stderr.on("data", (bytes: Buffer) => {
    said += bytes.toString();
  });
  const readiness = async () => {
    const answer = await fetch(`http://${env.TAILKEEP_HTTP_ADDR}/readyz`).catch(() => undefined);
    return answer === undefined ? undefined : { status: answer.status, text: await answer.text() };
  };
  while (!said.includes("store does not answer")) await sleep(20);
  await expect.poll(readiness).toMatchObject({ status: 503, text: expect.stringContaining("ECONNREFUSED") });
  expect((await fetch(`http://${env.TAILKEEP_HTTP_ADDR}/healthz`)).status).toBe(200);
  // A doctor beside it sees both: a server that is there, and a store that is not.
  const doctor = await runCommand(["doctor"], { env: { ...env, TAILKEEP_STORE: store }, cwd: folder });
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toMatch(/^error {4}store: .*ECONNREFUSED/m);
  expect(doctor.stdout).toMatch(/^error {4}server: .*not ready/m);

  const client = connect({ server: env.TAILKEEP_GRPC_ADDR, sessionId: "early" });
  const stream = client.openStream();
  stream.append({ type: "score_history", score: 1 });
  await database.start();
  await expect.poll(readiness, { timeout: 20_000 }).toMatchObject({ status: 200 });
  await stream.close({ timeoutMs: 20_000 });
  expect(await client.history.tailRecords({ sessionId: "early" })).toHaveLength(1);
  await client.close();
  expect(server.exitCode).toBe(null);
});
