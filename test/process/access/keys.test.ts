// Keys from their making to their end: the door closes with the first one, and what a key opened ends with it.
import { join } from "node:path";
import { CreateKeyRequest, KeyRole } from "@tailkeep/proto";
import { makeKeyInStore } from "@tailkeep/server/dist/access/key-in-store.js";
import { configSchema } from "@tailkeep/server/dist/config/schema.js";
import { SCHEMA_VERSION } from "@tailkeep/server/dist/store/schema.js";
import mysql from "mysql2/promise";
import { afterEach, describe, expect, test } from "vitest";
import { isSkipped, startMysqlFamily } from "../../support/databases/index.js";
import { ids } from "../../support/grpc/one-server.js";
import { EndedError, Stubs } from "../../support/grpc/stubs.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { recordEntry, score } from "../../support/records/batches.js";

/** How soon a change must have its effect on every server. */
const NOTICED_MS_MAX = 30_000;

const entries = (count: number) => Array.from({ length: count }, (_, index) => recordEntry(score(index)));

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

async function startServer(store?: string): Promise<{ server: InProcessServer; store: string }> {
  const folder = await temporaryFolder();
  cleanUp.push(() => folder.remove());
  const url = store ?? `sqlite:${join(folder.path, "t.db")}`;
  const server = await startInProcess({ store: url });
  cleanUp.push(() => server.close());
  return { server, store: url };
}

function stubsFor(server: InProcessServer, secret?: string): Stubs {
  const stubs = new Stubs(server.grpcAddr, { authorization: secret === undefined ? undefined : `Bearer ${secret}` });
  cleanUp.push(() => stubs.close());
  return stubs;
}

async function createKey(stubs: Stubs, request: Partial<CreateKeyRequest>): Promise<{ keyId: string; secret: string }> {
  const { key, secret } = await stubs.call("createKey", { roles: [KeyRole.WRITE], ...request });
  return { keyId: key?.keyId ?? "", secret };
}

async function makeInStore(store: string, namespace: string, role: "write" | "read" | "admin"): Promise<string> {
  const limits = { streamsMax: undefined, recordsPerSecondMax: undefined, bytesPerSecondMax: undefined };
  const wanted = { namespace, name: "", roles: [role], expiresAtUs: undefined, ...limits };
  return (await makeKeyInStore(configSchema.parse({ store }), wanted)).secret;
}

/** Until a call is answered so, or otherwise than so. */
async function until(call: () => Promise<unknown>, status: "OK" | "UNAUTHENTICATED"): Promise<void> {
  const answer = () =>
    call().then(
      () => "OK",
      (error: unknown) => (error instanceof EndedError ? error.ending.status : String(error)),
    );
  await expect.poll(answer, { timeout: NOTICED_MS_MAX, interval: 50 }).toBe(status);
}

describe("the door", () => {
  test("is open until the first key is made, which shuts out who came without", async () => {
    const { server } = await startServer();
    const anyone = stubsFor(server);
    const [ingest, watch] = [anyone.ingest(), anyone.watch({ sessionId: "s" })];
    ingest.open(ids());
    await ingest.untilOpened();
    ingest.batch(1, entries(5));
    await ingest.untilAcked(5);
    await watch.untilCaughtUp();
    const { secret } = await createKey(anyone, { roles: [KeyRole.ADMIN] });
    expect(secret).toMatch(/^tk_[a-z2-9]{12}_[\w-]{43}$/);
    expect(await anyone.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "NO_KEY" });
    for (const stream of [ingest, watch]) {
      expect(await stream.untilEnded()).toMatchObject({ status: "UNAUTHENTICATED", code: "NO_KEY" });
    }
    expect(await stubsFor(server, secret).call("getConfig", {})).toBeDefined();
  });

  test("stays closed when the only key is revoked, also after a restart", async () => {
    const { server, store } = await startServer();
    const { keyId, secret } = await createKey(stubsFor(server), { roles: [KeyRole.ADMIN] });
    const admin = stubsFor(server, secret);
    expect(await admin.call("revokeKey", { keyId })).toMatchObject({ keyId, revokedAtUs: expect.any(BigInt) });
    expect(await admin.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
    await server.close();
    const again = (await startServer(store)).server;
    expect(await stubsFor(again).ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "NO_KEY" });
  });

  test("does not take a wrong key, open as it is", async () => {
    const { server } = await startServer();
    const wrong = stubsFor(server, `tk_${"a".repeat(12)}_${"b".repeat(43)}`);
    expect(await wrong.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
  });

  test("is closed from the start where keys are required, and a key made in the store opens it", async () => {
    const folder = await temporaryFolder();
    cleanUp.push(() => folder.remove());
    const store = `sqlite:${join(folder.path, "t.db")}`;
    const server = await startInProcess({ store, requireKeys: "always" });
    cleanUp.push(() => server.close());
    expect(await stubsFor(server).ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED" });
    // The server has the file open.
    const admin = stubsFor(server, await makeInStore(store, "default", "admin"));
    await until(() => admin.call("listKeys", {}), "OK");
  });
});

describe("the end of a key", () => {
  test("by revocation ends its streams and watches; what was durable is acked", async () => {
    const { server } = await startServer();
    const open = stubsFor(server);
    const { secret: adminSecret } = await createKey(open, { roles: [KeyRole.ADMIN] });
    const admin = stubsFor(server, adminSecret);
    const { keyId, secret } = await createKey(admin, { roles: [KeyRole.WRITE, KeyRole.READ] });
    const own = stubsFor(server, secret);
    const [ingest, watch] = [own.ingest(), own.watch({ sessionId: "s" })];
    ingest.open(ids());
    await ingest.untilOpened();
    await watch.untilCaughtUp();
    ingest.batch(1, entries(100));
    await ingest.untilAcked(100);
    await admin.call("revokeKey", { keyId });
    for (const stream of [ingest, watch]) {
      expect(await stream.untilEnded()).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
    }
    expect(await own.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
  });

  test("by time ends them too", async () => {
    const { server } = await startServer();
    const expiresAtUs = BigInt(Date.now() + 1_500) * 1_000n;
    const { secret } = await createKey(stubsFor(server), { expiresAtUs });
    const own = stubsFor(server, secret);
    const ingest = own.ingest();
    ingest.open(ids());
    await ingest.untilOpened();
    expect(await ingest.untilEnded()).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
    expect(BigInt(Date.now()) * 1_000n).toBeGreaterThanOrEqual(expiresAtUs);
    expect(await own.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
  });
});

describe("a rotation", () => {
  test("loses nothing: the old secret goes on for its time, then the stream is opened again with the new one", async () => {
    const { server } = await startServer();
    const { secret: adminSecret } = await createKey(stubsFor(server), { roles: [KeyRole.ADMIN] });
    const admin = stubsFor(server, adminSecret);
    const { keyId, secret: before } = await createKey(admin, {});
    const identity = ids();
    const old = stubsFor(server, before);
    const ingest = old.ingest();
    ingest.open(identity);
    await ingest.untilOpened();
    ingest.batch(1, entries(10));
    await ingest.untilAcked(10);
    const { secret: after } = await admin.call("rotateKey", { keyId, graceSeconds: 2 });
    expect(after).not.toBe(before);
    ingest.batch(11, entries(10));
    await ingest.untilAcked(20);
    expect(await old.call("getConfig", {})).toBeDefined();
    expect(await ingest.untilEnded()).toMatchObject({ status: "UNAVAILABLE", code: "SECRET_ROTATED" });
    expect(await old.ending("getConfig", {})).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
    const again = stubsFor(server, after).ingest();
    again.open(identity);
    expect((await again.untilOpened()).committedSeq).toBe(20n);
  });

  test("without a grace ends the old secret at once, and is not for keys that have ended", async () => {
    const { server } = await startServer();
    const { secret: adminSecret } = await createKey(stubsFor(server), { roles: [KeyRole.ADMIN] });
    const admin = stubsFor(server, adminSecret);
    const { keyId, secret } = await createKey(admin, {});
    await admin.call("rotateKey", { keyId, graceSeconds: 0 });
    expect(await stubsFor(server, secret).ending("getConfig", {})).toMatchObject({ code: "BAD_KEY" });
    await admin.call("revokeKey", { keyId });
    expect(await admin.ending("rotateKey", { keyId })).toMatchObject({ status: "NOT_FOUND" });
    expect(await admin.ending("rotateKey", { keyId: "none" })).toMatchObject({ status: "NOT_FOUND" });
    expect(await admin.ending("revokeKey", { keyId: "none" })).toMatchObject({ status: "NOT_FOUND" });
  });
});

describe("a namespace", () => {
  test("of another tenant is as if it were not there, its keys included", async () => {
    const { server, store } = await startServer();
    const a = stubsFor(server, await makeInStore(store, "team-a", "admin"));
    const b = stubsFor(server, await makeInStore(store, "team-b", "admin"));
    await until(() => b.call("getConfig", {}), "OK");
    const ingest = a.ingest();
    ingest.open({ ...ids(), sessionId: "secret-session" });
    await ingest.untilOpened();
    ingest.batch(1, entries(3));
    await ingest.untilAcked(3);
    await a.call("putState", { name: "secret-document", valueJson: "1" });
    const { keyId } = await createKey(a, {});
    expect((await b.call("listSessions", {})).sessions).toEqual([]);
    expect((await b.call("listKeys", {})).keys).toHaveLength(1);
    // Word for word the answer to a question for what there never was.
    const asked = [
      ["getSession", (id: string) => ({ sessionId: id })],
      ["deleteSession", (id: string) => ({ sessionId: id, force: true })],
      ["updateSession", (id: string) => ({ sessionId: id, name: "mine" })],
    ] as const;
    for (const [method, request] of asked) {
      const theirs = await b.ending(method, request("secret-session"));
      const nobodys = await b.ending(method, request("absent-session"));
      expect(theirs).toEqual({ ...nobodys, message: nobodys.message.replace("absent-session", "secret-session") });
      expect(theirs.status).toBe("NOT_FOUND");
    }
    expect(await b.ending("getState", { name: "secret-document" })).toMatchObject({ status: "NOT_FOUND" });
    for (const method of ["rotateKey", "revokeKey"] as const) {
      expect(await b.ending(method, { keyId })).toMatchObject({ status: "NOT_FOUND" });
    }
    for (const method of ["listRecords", "tailRecords"] as const) {
      expect((await b.call(method, { sessionId: "secret-session" })).records).toEqual([]);
    }
    // The same ids are other things there.
    const twin = b.ingest();
    twin.open({ ...ids(), sessionId: "secret-session" });
    expect((await twin.untilOpened()).committedSeq).toBe(0n);
    expect((await a.call("getSession", { sessionId: "secret-session" })).name).toBe("");
  });
});

describe("two servers on one database", () => {
  test("notice each other's keys and their end", async (context) => {
    const database = await startMysqlFamily();
    if (isSkipped(database)) return context.skip(database.skipped);
    cleanUp.push(() => database.stop());
    const store = database.url(await database.createDatabase());
    const [one, two] = [(await startServer(store)).server, (await startServer(store)).server];
    const keyless = stubsFor(two);
    const watch = keyless.watch({ sessionId: "s" });
    await watch.untilCaughtUp();
    const { secret } = await createKey(stubsFor(one), { roles: [KeyRole.ADMIN] });
    expect(await watch.untilEnded()).toMatchObject({ status: "UNAUTHENTICATED", code: "NO_KEY" });
    const there = stubsFor(two, secret);
    await until(() => there.call("getConfig", {}), "OK");
    const { keyId, secret: writing } = await createKey(stubsFor(one, secret), {});
    const writer = stubsFor(two, writing);
    await until(() => writer.call("getConfig", {}), "OK");
    const ingest = writer.ingest();
    ingest.open(ids());
    await ingest.untilOpened();
    const startedMs = performance.now();
    await stubsFor(one, secret).call("revokeKey", { keyId });
    expect(await ingest.untilEnded()).toMatchObject({ status: "UNAUTHENTICATED", code: "BAD_KEY" });
    expect(performance.now() - startedMs).toBeLessThan(NOTICED_MS_MAX);
    await until(() => writer.call("getConfig", {}), "UNAUTHENTICATED");
  });

  test("a key made in the store sets an empty one up, and brings none up to date", async (context) => {
    const database = await startMysqlFamily();
    if (isSkipped(database)) return context.skip(database.skipped);
    cleanUp.push(() => database.stop());
    const store = database.url(await database.createDatabase());
    const secret = await makeInStore(store, "default", "admin");
    const { server } = await startServer(store);
    await until(() => stubsFor(server, secret).call("listKeys", {}), "OK");
    // As a server before the last migration has it.
    const connection = await mysql.createConnection({ uri: store });
    cleanUp.push(() => connection.destroy());
    await connection.query("DELETE FROM schema_migrations WHERE version = ?", [SCHEMA_VERSION]);
    await expect(makeInStore(store, "default", "admin")).rejects.toMatchObject({
      code: "OTHER_SCHEMA",
      message: `the database has schema ${SCHEMA_VERSION - 1}, this command knows ${SCHEMA_VERSION}; use the version that its server has`,
    });
    const [found] = await connection.query("SELECT MAX(version) AS version FROM schema_migrations");
    expect(found).toEqual([{ version: SCHEMA_VERSION - 1 }]);
  });
});

describe("a request for a key", () => {
  test.each([
    ["no role", { roles: [] }, /roles: is empty/],
    ["a role that is none", { roles: [9 as KeyRole] }, /roles: 9 is not a role/],
    ["a name that is too long", { name: "n".repeat(129) }, /name: has 129 characters/],
    ["an end in the past", { expiresAtUs: 1n }, /expires_at_us: is not in the future/],
    ["no stream", { limits: { streamsMax: 0 } }, /limits\.streams_max: is 0; use a whole number from 1 to 12000/],
    ["more than can be counted", { limits: { bytesPerSecondMax: 1n << 60n } }, /limits\.bytes_per_second_max/],
  ])("with %s is refused", async (_case, change, message) => {
    const { server } = await startServer();
    const request = CreateKeyRequest.create({ roles: [KeyRole.READ], ...change } as Partial<CreateKeyRequest>);
    expect(await stubsFor(server).ending("createKey", request)).toMatchObject({
      status: "INVALID_ARGUMENT",
      code: "BAD_FIELD",
      message: expect.stringMatching(message),
    });
    expect(await stubsFor(server).call("listKeys", {})).toMatchObject({ keys: [] });
  });
});
