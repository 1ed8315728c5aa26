// A watch that was broken off goes on at its cursor: everything that was committed since, once.
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { connect } from "@tailkeep/client";
import { expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();

const entries = (firstSeq: number, count: number) =>
  Array.from({ length: count }, (_, index) => recordEntry(score(firstSeq + index, 1_000_000 - firstSeq - index)));
const from = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

async function writer(sessionId: string) {
  const identity = { ...ids(), sessionId };
  const probe = running().stubs.ingest();
  probe.open(identity);
  await probe.untilOpened();
  return { probe, streamId: identity.streamId };
}

test("at a cursor, over several streams, also ones that are new since", async () => {
  const { sessionId } = ids();
  const [a, b] = [await writer(sessionId), await writer(sessionId)];
  a.probe.batch(1, entries(1, 10));
  b.probe.batch(1, entries(1, 10));
  await a.probe.untilAcked(10);
  await b.probe.untilAcked(10);
  const first = running().stubs.watch({ sessionId });
  await first.untilCaughtUp();
  const cursor = { seqs: first.cursor ?? {} };
  first.cancel();
  a.probe.batch(11, [...entries(11, 700), gapEntry(5), ...entries(716, 3)]);
  const c = await writer(sessionId);
  c.probe.batch(1, entries(1, 4));
  await a.probe.untilAcked(718);
  await c.probe.untilAcked(4);
  const second = running().stubs.watch({ sessionId, cursor, snapshotLimit: 7 });
  await second.untilCaughtUp();
  expect(second.told.get(a.streamId)).toEqual(from(11, 718));
  expect(second.told.get(b.streamId)).toBeUndefined();
  expect(second.told.get(c.streamId)).toEqual(from(1, 4));
  b.probe.batch(11, entries(11, 1));
  await second.until(() => second.told.has(b.streamId), "a live one");
  expect(second.told.get(b.streamId)).toEqual([11]);
});

test("at an empty cursor: everything from the beginning", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  probe.batch(1, [...entries(1, 600), gapEntry(3), ...entries(604, 900)]);
  await probe.untilAcked(1_503);
  const watch = running().stubs.watch({ sessionId, cursor: { seqs: {} } });
  await watch.untilCaughtUp();
  expect(watch.told.get(streamId)).toEqual(from(1, 1_503));
});

test("a cursor ahead of the stream shows what comes after it", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  probe.batch(1, entries(1, 5));
  await probe.untilAcked(5);
  const watch = running().stubs.watch({ sessionId, cursor: { seqs: { [streamId]: 7n, unknown: 3n } } });
  await watch.untilCaughtUp();
  probe.batch(6, entries(6, 4));
  await watch.until(() => watch.records.length === 2, "two records");
  expect(watch.told.get(streamId)).toEqual([8, 9]);
});

test("while it is written, as often as one likes", async () => {
  const { sessionId } = ids();
  const { probe, streamId } = await writer(sessionId);
  const seen: number[] = [];
  let cursor: { seqs: Record<string, bigint> } = { seqs: {} };
  let seq = 1;
  for (let round = 0; round < 8; round++) {
    const watch = running().stubs.watch({ sessionId, cursor });
    for (let batch = 0; batch < 5; batch++, seq += 20) probe.batch(seq, entries(seq, 20));
    await watch.untilCaughtUp();
    seen.push(...(watch.told.get(streamId) ?? []));
    cursor = { seqs: { [streamId]: BigInt(seen.at(-1) ?? 0) } };
    watch.cancel();
  }
  await probe.untilAcked(seq - 1);
  const last = running().stubs.watch({ sessionId, cursor });
  await last.untilCaughtUp();
  seen.push(...(last.told.get(streamId) ?? []));
  expect(seen).toEqual(from(1, seq - 1));
});

test("the SDK's watch over a connection that is cut again and again", async () => {
  const { sessionId } = ids();
  const link = await breakableLink(Number(running().server.grpcAddr.split(":")[1]));
  const client = connect({ server: link.address });
  try {
    const { probe, streamId } = await writer(sessionId);
    const watch = client.history.watchRecords({ sessionId });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const event of watch) {
        if (event.event === "record") seen.push(event.record.seq);
        else if (event.event === "gap") seen.push(...from(event.gap.firstSeq, event.gap.lastSeq));
        else if (event.event === "missed") throw new Error("nothing may be missed here");
        if (seen.at(-1) === 600) return;
      }
    })();
    while (watch.cursor === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let seq = 1; seq <= 591; seq += 10) {
      probe.batch(seq, seq % 50 === 1 ? [gapEntry(10)] : entries(seq, 10));
      if (seq % 100 === 91) {
        link.breakAll();
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
    await reading;
    expect(seen).toEqual(from(1, 600));
    expect(streamId).not.toBe("");
  } finally {
    await client.close();
    link.close();
  }
});

/** Passes connections on to a port until they are broken, all at once. */
async function breakableLink(port: number): Promise<{ address: string; breakAll(): void; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectSocket(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const breakAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const address = server.address();
  return {
    address: `127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    breakAll,
    close: () => {
      server.close();
      breakAll();
    },
  };
}
