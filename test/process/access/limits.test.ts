// What all users of a key may take together: streams are slowed to its rate, single calls are told to wait, and too many
// streams are refused; a neighbour with another key notices nothing.
import { join } from "node:path";
import { KeyRole } from "@tailkeep/proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ids } from "../../support/grpc/one-server.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { recordEntry, score } from "../../support/records/batches.js";

const cleanUp: (() => unknown)[] = [];
let server: InProcessServer;
let admin: Stubs;

function stubs(secret?: string): Stubs {
  const made = new Stubs(server.grpcAddr, { authorization: secret === undefined ? undefined : `Bearer ${secret}` });
  cleanUp.push(() => made.close());
  return made;
}

beforeAll(async () => {
  const folder = await temporaryFolder();
  server = await startInProcess({ store: `sqlite:${join(folder.path, "t.db")}` });
  cleanUp.push(
    () => folder.remove(),
    () => server.close(),
  );
  admin = stubs((await stubs().call("createKey", { roles: [KeyRole.ADMIN] })).secret);
});
afterAll(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

async function limited(limits: { streamsMax?: number; recordsPerSecondMax?: bigint; bytesPerSecondMax?: bigint }) {
  const none = { streamsMax: undefined, recordsPerSecondMax: undefined, bytesPerSecondMax: undefined };
  const { secret } = await admin.call("createKey", { roles: [KeyRole.WRITE], limits: { ...none, ...limits } });
  return stubs(secret);
}

const entries = (count: number) => Array.from({ length: count }, (_, index) => recordEntry(score(index)));

test("streams beyond the key's number are refused, until one is closed", async () => {
  const own = await limited({ streamsMax: 2 });
  const probes = [own.ingest(), own.ingest()];
  for (const probe of probes) {
    probe.open(ids());
    await probe.untilOpened();
  }
  const third = own.ingest();
  third.open(ids());
  expect(await third.untilEnded()).toMatchObject({
    status: "RESOURCE_EXHAUSTED",
    code: "RATE_LIMITED",
    retryAfterMs: "1000",
  });
  const neighbour = (await limited({ streamsMax: 1 })).ingest();
  neighbour.open(ids());
  await neighbour.untilOpened();
  probes[0]?.halfClose();
  expect(await probes[0]?.untilEnded()).toMatchObject({ status: "OK" });
  const fourth = own.ingest();
  fourth.open(ids());
  await fourth.untilOpened();
});

test.each([
  ["records", { recordsPerSecondMax: 500n }],
  ["bytes", { bytesPerSecondMax: 8_000n }],
])("streams are slowed to the %s a second of their key, and lose nothing", async (_what, limits) => {
  const own = await limited(limits);
  const probes = [own.ingest(), own.ingest()];
  for (const probe of probes) {
    probe.open(ids());
    await probe.untilOpened();
  }
  const startedMs = performance.now();
  for (let seq = 1; seq <= 1_000; seq += 100) for (const probe of probes) probe.batch(seq, entries(100));
  // Somebody else's goes through meanwhile.
  const neighbour = (await limited({})).ingest();
  neighbour.open(ids());
  await neighbour.untilOpened();
  neighbour.batch(1, entries(1_000));
  await neighbour.untilAcked(1_000);
  const neighbourMs = performance.now() - startedMs;
  for (const probe of probes) await probe.untilAcked(1_000);
  const ms = performance.now() - startedMs;
  // 2,000 records at 500 a second, less the first second's worth that the bucket held and the last batches' debt.
  expect(ms).toBeGreaterThan(1_800);
  expect(neighbourMs).toBeLessThan(ms);
});

test("single calls are told how long to wait", async () => {
  const own = await limited({ recordsPerSecondMax: 10n });
  const identity = ids();
  const write = (firstSeq: number, count: number) => {
    const batch = { firstSeq: BigInt(firstSeq), entries: entries(count) };
    return { ...identity, batch };
  };
  await own.call("writeRecords", write(1, 30));
  const refused = await own.ending("writeRecords", write(31, 1));
  expect(refused).toMatchObject({ status: "RESOURCE_EXHAUSTED", code: "RATE_LIMITED" });
  const retryAfterMs = Number(refused.retryAfterMs);
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(2_000);
  const wait = () => new Promise((resolve) => setTimeout(resolve, retryAfterMs + 50));
  await wait();
  expect((await own.call("writeRecords", write(31, 1))).committedSeq).toBe(31n);
});
