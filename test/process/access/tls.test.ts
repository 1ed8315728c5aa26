// TLS: what is listened with, what replaces it, who may connect, and that nothing falls back to plain text.
import { copyFile, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as tlsConnect } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import { connect } from "@tailkeep/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Authority, hasOpenssl, type Pair, replacePair } from "../../support/certificates.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";

const isPossible = await hasOpenssl();

const cleanUp: (() => unknown)[] = [];
let folder: string;
let authority: Authority;
let pair: Pair;

beforeEach(async (context) => {
  if (!isPossible) return context.skip("there is no openssl on this machine");
  const made = await temporaryFolder();
  cleanUp.push(() => made.remove());
  folder = made.path;
  authority = await Authority.make(folder, "ca");
  pair = await authority.sign("server");
});
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

async function start(settings: Record<string, unknown> = {}): Promise<InProcessServer> {
  const store = `sqlite:${join(folder, "t.db")}`;
  const server = await startInProcess({ store, tlsCert: pair.cert, tlsKey: pair.key, ...settings });
  cleanUp.push(() => server.close());
  return server;
}

function client(server: InProcessServer, options: Parameters<typeof connect>[0]) {
  const made = connect({ server: server.grpcAddr, timeoutMs: 3_000, ...options });
  cleanUp.push(() => made.close({ timeoutMs: 500 }).catch(() => undefined));
  return made;
}

/** The serial number of the certificate that a listener shows. */
function serialAt(address: string): Promise<string> {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = tlsConnect(
      { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] },
      () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      },
    );
    socket.once("error", reject);
  });
}

function secureGet(url: string): Promise<{ code: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { ca: authority.cert }, (response) => {
      text(response).then((body) => resolve({ code: response.statusCode, body }), reject);
    }).once("error", reject);
  });
}

test("gRPC and HTTP are served with it, and nobody without it", async () => {
  const server = await start();
  expect(await client(server, { caFile: authority.certFile }).config.get()).toBeDefined();
  expect(
    await client(server, { caFile: authority.certFile, server: `https://${server.grpcAddr}` }).config.get(),
  ).toBeDefined();
  expect((await secureGet(`https://${server.httpAddr}/metrics`)).body).toContain("tailkeep_store_up 1");
  // Plain text, another authority, the machine's own ones.
  const other = await Authority.make(folder, "other");
  for (const options of [{}, { caFile: other.certFile }, { tls: true }]) {
    await expect(client(server, options).config.get()).rejects.toMatchObject({ grpcStatus: 14 });
  }
  await expect(fetch(`http://${server.httpAddr}/healthz`)).rejects.toThrow();
});

test("versions before 1.2 are refused", async () => {
  const server = await start();
  const [host, port] = server.grpcAddr.split(":");
  const attempt = (version: "TLSv1.1" | "TLSv1.2") =>
    new Promise<string>((resolve) => {
      const options = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" } as const;
      const socket = tlsConnect(
        { host, port: Number(port), ca: authority.cert, ALPNProtocols: ["h2"], ...options },
        () => {
          resolve(socket.getProtocol() ?? "");
          socket.destroy();
        },
      );
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    });
  expect(await attempt("TLSv1.2")).toBe("TLSv1.2");
  expect(await attempt("TLSv1.1")).toMatch(/PROTOCOL_VERSION|UNSUPPORTED|NO_PROTOCOLS/);
});

describe("files that change", () => {
  test("are used for new connections, while a stream goes on", async () => {
    const server = await start();
    const before = await serialAt(server.grpcAddr);
    const writer = client(server, { caFile: authority.certFile }).openStream({ sessionId: "s" });
    writer.append({ type: "score_history", gameId: "g", score: 1 });
    await replacePair(pair, await authority.sign("server"));
    for (const address of [server.grpcAddr, server.httpAddr]) {
      await expect.poll(() => serialAt(address), { timeout: 20_000 }).not.toBe(before);
    }
    writer.append({ type: "score_history", gameId: "g", score: 2 });
    await writer.flush();
    expect(writer.state.name).not.toBe("failed");
  });

  test("and cannot be used keep those before, and are logged", async () => {
    const server = await start();
    const before = await serialAt(server.grpcAddr);
    await writeFile(pair.cert, "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n");
    await expect
      .poll(() => server.logged.join("\n"), { timeout: 20_000 })
      .toMatch(/error: the certificate before goes on/);
    expect(await serialAt(server.grpcAddr)).toBe(before);
    expect(await client(server, { caFile: authority.certFile }).config.get()).toBeDefined();
    const mended = await authority.sign("server");
    await replacePair(pair, mended);
    await expect.poll(() => serialAt(server.grpcAddr), { timeout: 20_000 }).not.toBe(before);
  });
});

describe("clients' certificates", () => {
  test("are asked for where an authority for them is named, on top of a key", async () => {
    const clients = await Authority.make(folder, "clients");
    const server = await start({ tlsClientCa: clients.certFile, requireKeys: "always" });
    const own = await clients.sign("trainer");
    const options = { caFile: authority.certFile, clientCertFile: own.cert, clientKeyFile: own.key };
    await expect(client(server, options).config.get()).rejects.toMatchObject({ code: "NO_KEY" });
    for (const wrong of [{}, { cert: pair.cert, key: pair.key }] as { cert?: string; key?: string }[]) {
      const refused = client(server, {
        caFile: authority.certFile,
        clientCertFile: wrong.cert,
        clientKeyFile: wrong.key,
      });
      await expect(refused.config.get()).rejects.toMatchObject({ grpcStatus: 14 });
    }
    // Probes have none.
    expect((await secureGet(`https://${server.httpAddr}/healthz`)).code).toBe(200);
  });
});

describe("beyond loopback", () => {
  const outside = { grpcAddr: "0.0.0.0:0", httpAddr: "0.0.0.0:0" };

  test("nothing is listened on without TLS, and with it nobody comes in without a key", async () => {
    const plain = startInProcess({ store: `sqlite:${join(folder, "p.db")}`, ...outside });
    await expect(plain).rejects.toThrow(/TAILKEEP_TLS_CERT.*TAILKEEP_ALLOW_UNPROTECTED/);
    const server = await start(outside);
    const address = server.grpcAddr.replace("0.0.0.0", "127.0.0.1");
    const stubs = new Stubs(address, { credentials: credentials.createSsl(authority.cert) });
    cleanUp.push(() => stubs.close());
    expect(await stubs.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "NO_KEY" });
  });

  test("the pages need a key that reads; probes need none", async () => {
    const server = await start(outside);
    const env = { TAILKEEP_STORE: `sqlite:${join(folder, "t.db")}` };
    const make = async (role: string) =>
      (await runCommand(["keys", "create", "--role", role, "--in-store"], { env })).stdout.trim();
    const [read, write] = [await make("read"), await make("write")];
    const url = `https://${server.httpAddr.replace("0.0.0.0", "127.0.0.1")}`;
    const page = (path: string, key?: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
        get(`${url}${path}`, { ca: authority.cert, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).once("error", reject);
      });
    await expect.poll(() => page("/metrics", write), { timeout: 10_000 }).toBe(403);
    expect(await page("/metrics", read)).toBe(200);
    // The dashboard's own files say nothing of the server, and ask for the key.
    expect(await page("/")).toBe(200);
    expect(await page("/api/v1/sessions", read)).toBe(200);
    for (const path of ["/api/v1/sessions", "/api/v1/server", "/api/v1/events", "/metrics"]) {
      expect(await page(path)).toBe(401);
      expect(await page(path, `${read}x`)).toBe(401);
      expect(await page(path, write)).toBe(403);
    }
    for (const path of ["/healthz", "/readyz"]) expect(await page(path)).toBe(200);
  });
});

describe("settings that make no sense", () => {
  test("are refused at the start, with the remedy", async () => {
    const other = await authority.sign("other");
    const broken = join(folder, "broken.pem");
    await copyFile(pair.key, broken);
    await writeFile(broken, "no pem");
    const cases: [Record<string, string>, RegExp][] = [
      [{ tlsKey: "" }, /TAILKEEP_TLS_CERT and TAILKEEP_TLS_KEY belong together/],
      [{ tlsKey: other.key }, /cannot be used together/],
      [{ tlsCert: broken }, /cannot be used together/],
      [{ tlsClientCa: broken }, /cannot be used together/],
      [{ tlsKey: join(folder, "absent") }, /TAILKEEP_TLS_KEY: .*absent cannot be read \(ENOENT\)/],
    ];
    for (const [settings, message] of cases) await expect(start(settings)).rejects.toThrow(message);
  });

  test("of a client are refused when it is made", () => {
    expect(() => connect({ clientCertFile: pair.cert })).toThrow(/belong together/);
    expect(() => connect({ caFile: join(folder, "absent") })).toThrow(/cannot be used/);
    expect(() => connect({ server: "https://localhost:1", tls: false })).toThrow(/asks for TLS/);
    expect(() => connect({ apiKeyFile: join(folder, "absent") })).toThrow(/apiKeyFile or TAILKEEP_API_KEY_FILE/);
    expect(() => connect({ apiKey: "tk with space" })).toThrow(/as it was shown/);
  });
});
