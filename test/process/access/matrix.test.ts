// Every method of every service, asked with every kind of credential: the exact status of each, from a real server process
// over TLS that asks its clients for certificates.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, credentials, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import * as proto from "@tailkeep/proto";
import { KeyRole } from "@tailkeep/proto";
import { PERMISSIONS } from "@tailkeep/server/dist/access/permissions.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Authority, hasOpenssl } from "../../support/certificates.js";
import { freePort } from "../../support/databases/ports.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { temporaryFolder } from "../../support/in-process-server.js";
import { runCommand, startCommand } from "../../support/run-command.js";

interface Definition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

const METHODS: readonly Definition[] = Object.entries(proto as Record<string, unknown>)
  .filter(([name]) => name.endsWith("ServiceService"))
  .flatMap(([, definition]) => Object.values(definition as Record<string, Definition>));

const REFLECTION = ["v1", "v1alpha"].map((version) => ({
  path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  requestStream: true,
  responseStream: true,
}));

const HEALTH: Definition = { path: "/grpc.health.v1.Health/Check", requestStream: false, responseStream: false };

/** Written down anew, so that a slip in the server's own table shows: who may, besides admin. */
const MAY: Record<string, string> = {
  Ingest: "write",
  WriteRecords: "write",
  GetSession: "write read",
  UpdateSession: "write",
  ListRecords: "write read",
  TailRecords: "write read",
  ListSessions: "read",
  WatchRecords: "read",
  GetStatistics: "read",
  ListSeries: "read",
  GetSeries: "read",
  DeleteSession: "",
  PutState: "write",
  DeleteState: "write",
  GetState: "write read",
  ListStates: "write read",
  GetConfig: "write read",
  WatchConfig: "write read",
  ListConfigChanges: "read",
  UpdateConfig: "",
  ListGaps: "read",
  ListDeadLetters: "read",
  GetLedger: "read",
  GetRetention: "read",
  ConfirmStoringDay: "",
  CreateKey: "",
  ListKeys: "",
  RotateKey: "",
  RevokeKey: "",
  ServerReflectionInfo: "read",
};

/** What an empty request of someone who may ask is answered with, in a namespace where there is nothing. */
const WELCOME: Record<string, status> = {
  Ingest: status.FAILED_PRECONDITION,
  WriteRecords: status.INVALID_ARGUMENT,
  GetSession: status.INVALID_ARGUMENT,
  UpdateSession: status.INVALID_ARGUMENT,
  // An empty question is one for nothing in particular, and so is refused.
  ListRecords: status.INVALID_ARGUMENT,
  TailRecords: status.INVALID_ARGUMENT,
  WatchRecords: status.INVALID_ARGUMENT,
  ListSeries: status.INVALID_ARGUMENT,
  GetSeries: status.INVALID_ARGUMENT,
  DeleteSession: status.INVALID_ARGUMENT,
  PutState: status.INVALID_ARGUMENT,
  DeleteState: status.INVALID_ARGUMENT,
  GetState: status.INVALID_ARGUMENT,
  GetLedger: status.INVALID_ARGUMENT,
  ConfirmStoringDay: status.INVALID_ARGUMENT,
  CreateKey: status.INVALID_ARGUMENT,
  RotateKey: status.NOT_FOUND,
  RevokeKey: status.NOT_FOUND,
};

const asItIs = (bytes: Buffer) => bytes;
const nameOf = ({ path }: Definition) => path.split("/")[2] ?? "";

/** Sends one empty message, and gives the status of the call; of a stream that goes on, that it does. */
function statusOf(client: Client, method: Definition): Promise<status> {
  const deadline = { deadline: Date.now() + 20_000 };
  return new Promise((resolve) => {
    if (!method.requestStream && !method.responseStream) {
      client.makeUnaryRequest(method.path, asItIs, asItIs, Buffer.alloc(0), deadline, (error: ServiceError | null) =>
        resolve(error?.code ?? status.OK),
      );
      return;
    }
    const listen = (call: Readable & { cancel(): void }) => {
      call.on("error", () => undefined);
      call.on("data", () => {
        resolve(status.OK);
        call.cancel();
      });
      call.on("status", ({ code }: StatusObject) => resolve(code));
    };
    if (!method.requestStream) {
      listen(client.makeServerStreamRequest(method.path, asItIs, asItIs, Buffer.alloc(0), deadline));
      return;
    }
    const call = client.makeBidiStreamRequest(method.path, asItIs, asItIs, deadline);
    listen(call);
    if (nameOf(method) !== "Ingest") call.write(Buffer.alloc(0));
    call.end();
  });
}

async function until(holds: () => Promise<boolean>, words: () => string): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`the server is not ready:\n${words()}`);
    await sleep(50);
  }
}

const isPossible = await hasOpenssl();

describe.skipIf(!isPossible)("every method (needs openssl)", () => {
  const cleanUp: (() => unknown)[] = [];
  const clients: Record<string, Client> = {};

  beforeAll(async () => {
    const folder = await temporaryFolder();
    cleanUp.push(() => folder.remove());
    const [authority, clientAuthority] = [
      await Authority.make(folder.path, "ca"),
      await Authority.make(folder.path, "clients"),
    ];
    const [pair, own, foreign] = [
      await authority.sign("server"),
      await clientAuthority.sign("trainer"),
      await authority.sign("stranger"),
    ];
    const address = `127.0.0.1:${await freePort()}`;
    const env = {
      TAILKEEP_STORE: `sqlite:${join(folder.path, "t.db")}`,
      TAILKEEP_GRPC_ADDR: address,
      TAILKEEP_HTTP_ADDR: "127.0.0.1:0",
      TAILKEEP_SERVER: address,
      TAILKEEP_TLS_CERT: pair.cert,
      TAILKEEP_TLS_KEY: pair.key,
      TAILKEEP_TLS_CLIENT_CA: clientAuthority.certFile,
      TAILKEEP_CA: authority.certFile,
      TAILKEEP_CLIENT_CERT: own.cert,
      TAILKEEP_CLIENT_KEY: own.key,
    };
    const make = async (words: string[]) => {
      const { stdout, stderr } = await runCommand(["keys", "create", "--in-store", ...words], { env });
      if (stdout === "") throw new Error(stderr);
      return stdout.trim();
    };
    const [admin, other] = [await make(["--role", "admin"]), await make(["--role", "admin", "--namespace", "other"])];
    const server = startCommand(["serve"], { env });
    cleanUp.push(() => server.kill("SIGKILL"));
    let output = "";
    server.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    server.stdout.resume();
    await until(
      async () => output.includes("store is ready"),
      () => output,
    );
    const secure = (cert: { cert: string; key: string } | undefined) =>
      credentials.createSsl(
        authority.cert,
        cert === undefined ? null : readFileSync(cert.key),
        cert === undefined ? null : readFileSync(cert.cert),
      );
    const stubs = (authorization: string | undefined, cert: typeof own | undefined = own) => {
      const made = new Stubs(address, { authorization, credentials: secure(cert) });
      cleanUp.push(() => made.close());
      return made;
    };
    const asAdmin = stubs(`Bearer ${admin}`);
    const isIn = () =>
      asAdmin.call("listKeys", {}).then(
        () => true,
        () => false,
      );
    await until(isIn, () => output);
    const create = async (roles: KeyRole[], expiresAtUs?: bigint) => {
      const { key, secret } = await asAdmin.call("createKey", { roles, expiresAtUs });
      return { keyId: key?.keyId ?? "", secret };
    };
    const [write, read, revoked] = [
      await create([KeyRole.WRITE]),
      await create([KeyRole.READ]),
      await create([KeyRole.ADMIN]),
    ];
    const expired = await create([KeyRole.ADMIN], BigInt(Date.now() + 1_000) * 1_000n);
    await asAdmin.call("revokeKey", { keyId: revoked.keyId });
    await sleep(1_100);
    const kinds: Record<string, [string | undefined, (typeof own | undefined)?]> = {
      "no key": [undefined],
      "wrong secret": [`Bearer ${admin.slice(0, -2)}${admin.endsWith("AA") ? "BB" : "AA"}`],
      "unknown id": [`Bearer tk_${"a".repeat(12)}_${"b".repeat(43)}`],
      "another scheme": ["Basic dXNlcjpwYXNz"],
      "no scheme": [admin],
      "an empty header": [""],
      revoked: [`Bearer ${revoked.secret}`],
      expired: [`Bearer ${expired.secret}`],
      "other tenant": [`Bearer ${other}`],
      read: [`Bearer ${read.secret}`],
      write: [`Bearer ${write.secret}`],
      admin: [`Bearer ${admin}`],
      "scheme in small letters": [`bearer ${admin}`],
      "wrong certificate": [`Bearer ${admin}`, foreign],
    };
    for (const [kind, [authorization, cert]] of Object.entries(kinds))
      clients[kind] = stubs(authorization, cert).client;
    const bare = new Stubs(address, { authorization: `Bearer ${admin}`, credentials: secure(undefined) });
    cleanUp.push(() => bare.close());
    clients["no certificate"] = bare.client;
  });
  afterAll(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });

  const NOBODY = [
    "no key",
    "wrong secret",
    "unknown id",
    "another scheme",
    "no scheme",
    "an empty header",
    "revoked",
    "expired",
  ];
  const EVERYTHING = ["admin", "scheme in small letters", "other tenant"];

  test("is in the table here, and in the server's", () => {
    const names = [...METHODS, ...REFLECTION].map(nameOf);
    expect(Object.keys(MAY).sort()).toEqual([...new Set(names)].sort());
    for (const { path } of METHODS) expect(PERMISSIONS).toHaveProperty([path]);
  });

  test.for([...METHODS, ...REFLECTION].map((method) => [method.path, method] as const))(
    "%s",
    { timeout: 60_000 },
    async ([, method]) => {
      const name = nameOf(method);
      const may = new Set([...EVERYTHING, ...(MAY[name] ?? "").split(" ")]);
      const found: Record<string, string> = {};
      const expected: Record<string, string> = {};
      for (const [kind, client] of Object.entries(clients)) {
        const isStranger = kind.endsWith(" certificate");
        const answer = isStranger
          ? status.UNAVAILABLE
          : NOBODY.includes(kind)
            ? status.UNAUTHENTICATED
            : may.has(kind)
              ? (WELCOME[name] ?? status.OK)
              : status.PERMISSION_DENIED;
        found[kind] = status[await statusOf(client, method)];
        expected[kind] = status[answer];
      }
      expect(found).toEqual(expected);
    },
  );

  test("of health is open to whoever has a certificate", async () => {
    for (const [kind, client] of Object.entries(clients)) {
      const answer = kind.endsWith(" certificate") ? status.UNAVAILABLE : status.OK;
      expect([kind, await statusOf(client, HEALTH)]).toEqual([kind, answer]);
    }
  });
});
