// A session that is deleted and written again is a new one, for watchers and for the newest records in memory.
import { expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();
const entries = (count: number, value: number) => Array.from({ length: count }, () => recordEntry(score(value, value)));

test("its watcher sees the new records, under the old stream's name too", async () => {
  const { stubs } = running();
  const identity = ids();
  const { sessionId, streamId } = identity;
  await stubs.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: entries(5, 1) } });
  expect((await stubs.call("tailRecords", { sessionId })).records).toHaveLength(5);
  const watch = stubs.watch({ sessionId, snapshotLimit: 10 });
  await watch.untilCaughtUp();
  expect(watch.records).toHaveLength(5);
  await stubs.call("deleteSession", { sessionId, force: true });
  expect((await stubs.call("tailRecords", { sessionId })).records).toEqual([]);
  await stubs.call("writeRecords", { ...identity, batch: { firstSeq: 1n, entries: entries(3, 2) } });
  await watch.until(() => watch.records.length === 8, "three new records");
  expect(watch.records.slice(5)).toEqual([`${streamId}/1`, `${streamId}/2`, `${streamId}/3`]);
  const { records } = await stubs.call("tailRecords", { sessionId });
  expect(records.map(({ record }) => record?.kind)).toMatchObject(new Array(3).fill({ value: { score: 2 } }));
});
