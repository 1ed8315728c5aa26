// Credit: who honours it never stands still, who ignores it is slowed, and memory stays bounded either way.
import { setTimeout as sleep } from "node:timers/promises";
import { IngestRequest } from "@tailkeep/proto";
import { BATCH_BYTES_MAX, DECODED_FACTOR } from "@tailkeep/server/dist/limits.js";
import { afterEach, describe, expect, test } from "vitest";
import type { IngestProbe } from "../../support/grpc/ingest-probe.js";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { recordEntry, score } from "../../support/records/batches.js";

// The smallest budget there may be: room for one largest batch at a time.
const INGEST_BYTES_MAX = 2 * BATCH_BYTES_MAX * DECODED_FACTOR;
const running = oneServer({ ingestBytesMax: INGEST_BYTES_MAX });

/** A batch of about so many bytes, as a request. */
function batchOfBytes(firstSeq: number, bytes: number, records = 4): Uint8Array {
  const text = `"${"x".repeat(Math.max(1, Math.floor(bytes / records) - 40))}"`;
  const entries = Array.from({ length: records }, () =>
    recordEntry({
      eventTimeUs: 1n,
      kind: {
        $case: "frameTracking",
        value: { gameId: "g", frameHash: undefined, frameAnalysisJson: text, stagnationDetected: undefined },
      },
    }),
  );
  return IngestRequest.encode({ message: { $case: "batch", value: { firstSeq: BigInt(firstSeq), entries } } }).finish();
}

async function opened(): Promise<{ probe: IngestProbe; identity: ReturnType<typeof ids> }> {
  const identity = ids();
  const probe = running().stubs.ingest();
  probe.open(identity);
  await probe.untilOpened();
  return { probe, identity };
}

/** Sends batches of the given sizes, each as soon as credit allows; stands still for ever where it never does. */
async function sendHonestly(probe: IngestProbe, sizes: readonly number[], firstSeq = 1): Promise<number> {
  let seq = firstSeq;
  for (const bytes of sizes) {
    const request = batchOfBytes(seq, bytes);
    await probe.until(() => probe.sentBytes + request.length <= probe.creditBytes, `credit for ${bytes} bytes`);
    probe.batchBytes(request);
    seq += 4;
  }
  return seq - 1;
}

const MIB = 1_048_576;
const nearlyAll = BATCH_BYTES_MAX - 1_000;

afterEach(async () => {
  running().stubs.cancelAll();
  const ingestBytes = async () => (await running().server.metrics()).get("tailkeep_ingest_memory_bytes");
  for (let tries = 0; tries < 200 && (await ingestBytes()) !== 0; tries++) await sleep(20);
  expect(await ingestBytes()).toBe(0);
});

describe("a writer that honours credit", () => {
  test.each([
    ["largest batches", new Array(12).fill(nearlyAll)],
    ["a small one, then a largest one", [100_000, nearlyAll, 1_000, nearlyAll, 600_000, nearlyAll]],
    ["growing ones", Array.from({ length: 16 }, (_, index) => ((index + 1) * nearlyAll) / 16)],
    ["many small ones", new Array(300).fill(5_000)],
  ])("never stands still: %s", async (_, sizes) => {
    const { probe } = await opened();
    const last = await sendHonestly(probe, sizes);
    await probe.untilAcked(last);
    expect(probe.credits).toEqual([...probe.credits].sort((a, b) => a - b));
    probe.halfClose();
    await probe.untilEnded();
  });

  test("never stands still beside sixty others", async () => {
    const probes = await Promise.all(Array.from({ length: 60 }, async () => (await opened()).probe));
    await Promise.all(
      probes.map(async (probe, index) => {
        const last = await sendHonestly(probe, [3_000 * (index + 1), index % 10 === 0 ? nearlyAll : 20_000, 10_000]);
        await probe.untilAcked(last);
      }),
    );
    for (const probe of probes) {
      probe.halfClose();
      await probe.untilEnded();
    }
  });

  test("gets it back for what was committed before", async () => {
    const { probe, identity } = await opened();
    const last = await sendHonestly(probe, new Array(8).fill(nearlyAll));
    await probe.untilAcked(last);
    const again = running().stubs.ingest();
    again.open(identity);
    await again.untilOpened();
    // All of it is old: nothing is committed, and nothing is acked.
    await sendHonestly(again, new Array(8).fill(nearlyAll));
    await sendHonestly(again, [100], last + 1);
    await again.untilAcked(last + 4);
    again.halfClose();
    await again.untilEnded();
  });
});

describe("a writer that ignores credit", () => {
  test("is slowed, loses nothing, and memory keeps to its bound", async () => {
    const { probe } = await opened();
    const total = 60;
    let most = 0;
    const watching = setInterval(() => {
      void running()
        .server.metrics()
        .then((metrics) => {
          most = Math.max(most, metrics.get("tailkeep_ingest_memory_bytes") ?? 0);
        });
    }, 10);
    for (let index = 0; index < total; index++) probe.batchBytes(batchOfBytes(index * 4 + 1, nearlyAll));
    probe.halfClose();
    expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
    clearInterval(watching);
    expect(probe.ackedSeq).toBe(total * 4);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(INGEST_BYTES_MAX);
  });

  test("leaves the others their share", async () => {
    const rude = await opened();
    const honest = await opened();
    for (let index = 0; index < 40; index++) rude.probe.batchBytes(batchOfBytes(index * 4 + 1, nearlyAll));
    const last = await sendHonestly(honest.probe, new Array(5).fill(2_000));
    await honest.probe.untilAcked(last);
    // Not after everything that the other had sent before.
    expect(rude.probe.ackedSeq).toBeLessThan(160);
    for (const { probe } of [rude, honest]) {
      probe.halfClose();
      expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
    }
    expect(rude.probe.ackedSeq).toBe(160);
  });

  test("and goes away in the middle gives everything back", async () => {
    const rude = await Promise.all([opened(), opened(), opened()]);
    for (const { probe } of rude)
      for (let index = 0; index < 20; index++) probe.batchBytes(batchOfBytes(index * 4 + 1, nearlyAll));
    await rude[0]?.probe.untilAcked(4);
    for (const { probe } of rude) probe.cancel();
    const { probe } = await opened();
    await probe.untilAcked(await sendHonestly(probe, [nearlyAll, nearlyAll]));
    probe.halfClose();
    await probe.untilEnded();
  });
});

test("a writer that does not read its acks gets the newest one when it does", async () => {
  const { probe } = await opened();
  probe.pause();
  for (let seq = 1; seq <= 2_000; seq++) {
    const request = IngestRequest.encode({
      message: { $case: "batch", value: { firstSeq: BigInt(seq), entries: [recordEntry(score(seq))] } },
    }).finish();
    if (!probe.batchBytes(request)) await probe.untilDrained();
  }
  probe.resume();
  await probe.untilAcked(2_000);
  probe.halfClose();
  expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
});

test("credit is at least one largest batch and at most a window", async () => {
  const { probe } = await opened();
  expect(probe.creditBytes).toBeGreaterThanOrEqual(BATCH_BYTES_MAX);
  expect(probe.creditBytes).toBeLessThanOrEqual(4 * MIB);
  probe.halfClose();
  await probe.untilEnded();
});
