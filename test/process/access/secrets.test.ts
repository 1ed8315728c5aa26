// Secrets are planted where a server, a trainer and the commands keep theirs, and then searched for everywhere that others
// can look: logs, metrics, pages, the process list, spill folders, the database's files, error messages, config and doctor.
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, TailkeepError } from "@tailkeep/client";
import { afterEach, expect, test } from "vitest";
import { Authority, hasOpenssl } from "../../support/certificates.js";
import { isSkipped, startMysqlFamily } from "../../support/databases/index.js";
import { freePort } from "../../support/databases/ports.js";
import { temporaryFolder } from "../../support/in-process-server.js";
import { runCommand, startCommand } from "../../support/run-command.js";

const PASSWORD = "canary-7h1s-15-the-databases-own";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

/** Every form in which it would give itself away. */
function formsOf(secret: string): Buffer[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString("base64").replace(/=+$/, ""), bytes.toString("hex"), encodeURIComponent(secret)].map(
    (form) => Buffer.from(form),
  );
}

class Places {
  readonly #found = new Map<string, Buffer>();

  add(place: string, content: string | Buffer): void {
    this.#found.set(place, Buffer.concat([this.#found.get(place) ?? Buffer.alloc(0), Buffer.from(content)]));
  }

  async addFolder(folder: string, except: readonly string[] = []): Promise<void> {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name);
      if (entry.isFile() && !except.includes(file)) this.add(file, await readFile(file));
    }
  }

  /** Arguments of every process, as `ps` shows them. */
  async addArguments(): Promise<void> {
    for (const name of await readdir("/proc").catch(() => [])) {
      if (!/^\d+$/.test(name)) continue;
      this.add("arguments of processes", await readFile(`/proc/${name}/cmdline`).catch(() => Buffer.alloc(0)));
    }
  }

  sizeOf(place: string): number {
    return this.#found.get(place)?.length ?? 0;
  }

  with(secrets: Readonly<Record<string, string>>): string[] {
    return [...this.#found].flatMap(([place, content]) =>
      Object.entries(secrets)
        .filter(([, secret]) => formsOf(secret).some((form) => content.includes(form)))
        .map(([name]) => `${name} in ${place}`),
    );
  }
}

test("what is searched would be found", () => {
  const places = new Places();
  places.add("log", `x ${Buffer.from("abc-secret-def").toString("hex")} y`);
  expect(places.with({ secret: "abc-secret-def", other: "other" })).toEqual(["secret in log"]);
});

test.for(["trace", "info"] as const)("nothing gives a secret away, logging at %s", async (logLevel, context) => {
  if (!(await hasOpenssl())) return context.skip("there is no openssl on this machine");
  const made = await temporaryFolder();
  cleanUp.push(() => made.remove());
  const folder = made.path;
  const authority = await Authority.make(folder, "ca");
  const pair = await authority.sign("server");
  const [address, httpAddress] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const env = {
    TAILKEEP_STORE: `sqlite:${join(folder, "data", "t.db")}`,
    TAILKEEP_GRPC_ADDR: address,
    TAILKEEP_HTTP_ADDR: httpAddress,
    TAILKEEP_TLS_CERT: pair.cert,
    TAILKEEP_TLS_KEY: pair.key,
    TAILKEEP_LOG_LEVEL: logLevel,
    TAILKEEP_SERVER: address,
    TAILKEEP_CA: authority.certFile,
    GRPC_TRACE: "all",
    GRPC_VERBOSITY: "DEBUG",
  };
  const places = new Places();
  const adminKey = (await runCommand(["keys", "create", "--role", "admin", "--in-store"], { env })).stdout.trim();
  const server = startCommand(["serve"], { env });
  cleanUp.push(() => server.kill("SIGKILL"));
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk: Buffer) => places.add("log", chunk));
  const adminFile = join(folder, "admin.key");
  await writeFile(adminFile, adminKey);
  const admin = connect({ server: address, caFile: authority.certFile, apiKeyFile: adminFile });
  cleanUp.push(() => admin.close().catch(() => undefined));
  await expect.poll(() => admin.config.get().then(() => "OK", String), { timeout: 30_000 }).toBe("OK");
  const { key, secret: writeKey } = await admin.keys.create({ roles: ["write"] });
  const { secret: rotated } = await admin.keys.rotate(key.keyId);
  const wrongKey = `${adminKey.slice(0, -6)}canary`;

  // A trainer that writes, spills while nobody is there, and is refused.
  const program = `
    import { openRecorder } from "@tailkeep/client";
    const recorder = openRecorder({ server: process.env.FIRST, sessionId: "s", spillAfterMs: 100 });
    for (let n = 0; n < 2000; n++) recorder.append({ type: "score_history", gameId: "g", score: n });
    console.log(JSON.stringify(recorder.options ?? {}));
    setTimeout(() => process.exit(0), 1500);
  `;
  const { spawn } = await import("node:child_process");
  for (const [name, first, apiKey] of [
    ["spilling", "127.0.0.1:1", writeKey],
    ["refused", address, wrongKey],
  ] as const) {
    const trainer = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: import.meta.dirname,
      env: {
        ...process.env,
        ...env,
        FIRST: first,
        TAILKEEP_API_KEY: apiKey,
        TAILKEEP_SPILL_DIR: join(folder, "spill"),
      },
    });
    for (const stream of [trainer.stdout, trainer.stderr]) {
      stream.on("data", (chunk: Buffer) => places.add(`output of the trainer, ${name}`, chunk));
    }
    const ended = once(trainer, "close");
    await places.addArguments();
    await ended;
  }

  // What the commands say, and what is refused.
  const keyEnv = { ...env, TAILKEEP_API_KEY: adminKey };
  for (const words of [
    ["keys", "list", "--json"],
    ["keys", "revoke", key.keyId],
    ["config", "show", "--json"],
    ["config"],
    ["config", "get"],
    ["doctor", "--json"],
    ["doctor"],
  ]) {
    const { stdout, stderr } = await runCommand(words, { env: keyEnv });
    places.add(`tailkeep ${words.join(" ")}`, stdout + stderr);
  }
  const refusals = [wrongKey, writeKey, rotated, "tk_x_y"].map(async (apiKey) => {
    const client = connect({ server: address, caFile: authority.certFile, apiKey });
    const error: unknown = await client.history
      .listSessions()
      .firstPage()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TailkeepError);
    const { message, stack } = error as TailkeepError;
    places.add("errors", `${message} ${stack} ${JSON.stringify(error)}`);
    await client.close();
  });
  await Promise.all(refusals);
  const { NODE_EXTRA_CA_CERTS: _, ...plain } = process.env;
  const scrape = `for (const path of ["metrics", "", "readyz"]) console.log(await (await fetch("https://${httpAddress}/" + path)).text())`;
  const scraper = spawn(process.execPath, ["--input-type=module", "-e", scrape], {
    env: { ...plain, NODE_EXTRA_CA_CERTS: authority.certFile },
  });
  scraper.stdout.on("data", (chunk: Buffer) => places.add("pages", chunk));
  await once(scraper, "close");
  // A key and a certificate that cannot be used.
  await writeFile(pair.cert, "no certificate");
  await expect.poll(() => places.sizeOf("log"), { timeout: 20_000 }).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  server.kill("SIGTERM");
  await once(server, "close");
  await places.addFolder(join(folder, "data"));
  await places.addFolder(join(folder, "spill"));

  const tlsKey = (await readFile(pair.key, "utf8")).split("\n")[1] ?? "";
  const secretOf = (token: string) => token.split("_").slice(2).join("_");
  const secrets = {
    "admin key": secretOf(adminKey),
    "write key": secretOf(writeKey),
    "rotated key": secretOf(rotated),
    "wrong key": secretOf(wrongKey),
    "TLS key": tlsKey,
  };
  expect(places.with(secrets)).toEqual([]);
  for (const place of ["log", "errors", "pages", "tailkeep doctor", "arguments of processes"]) {
    expect(places.sizeOf(place), place).toBeGreaterThan(100);
  }
  expect(tlsKey.length).toBeGreaterThan(30);
});

test("nor the database's password", async (context) => {
  const database = await startMysqlFamily();
  if (isSkipped(database)) return context.skip(database.skipped);
  cleanUp.push(() => database.stop());
  const made = await temporaryFolder();
  cleanUp.push(() => made.remove());
  const url = new URL(database.url(await database.createDatabase()));
  // Wrong, so that the database itself has something to say about it.
  url.password = PASSWORD;
  const [address, httpAddress] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const env = {
    TAILKEEP_STORE: url.href,
    TAILKEEP_GRPC_ADDR: address,
    TAILKEEP_HTTP_ADDR: httpAddress,
    TAILKEEP_LOG_LEVEL: "trace",
  };
  const places = new Places();
  const server = startCommand(["serve"], { env, cwd: made.path });
  cleanUp.push(() => server.kill("SIGKILL"));
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk: Buffer) => places.add("log", chunk));
  await expect.poll(() => places.sizeOf("log"), { timeout: 30_000 }).toBeGreaterThan(200);
  await places.addArguments();
  for (const path of ["readyz", "", "metrics"])
    places.add("pages", await (await fetch(`http://${httpAddress}/${path}`)).text());
  for (const words of [
    ["config", "show"],
    ["config", "--json"],
    ["doctor"],
    ["keys", "create", "--role", "admin", "--in-store"],
  ]) {
    const { stdout, stderr } = await runCommand(words, { env, cwd: made.path });
    places.add(`tailkeep ${words.join(" ")}`, stdout + stderr);
  }
  const client = connect({ server: address, timeoutMs: 3_000 });
  const error: unknown = await client.history
    .listSessions()
    .firstPage()
    .catch((thrown: unknown) => thrown);
  places.add("errors", `${String(error)} ${JSON.stringify(error)}`);
  await client.close();
  expect(places.with({ password: PASSWORD })).toEqual([]);
});
