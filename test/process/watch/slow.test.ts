// A watcher that does not keep up is told exactly what it was not sent, and the server's memory does not grow for it.
import { afterEach, expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { recordEntry } from "../../support/records/batches.js";

const running = oneServer();
afterEach(() => running().stubs.cancelAll());

const text = `"${"x".repeat(20_000)}"`;
const frames = (count: number) =>
  Array.from({ length: count }, () =>
    recordEntry({
      eventTimeUs: 1n,
      kind: {
        $case: "frameTracking",
        value: { gameId: "g", frameHash: undefined, frameAnalysisJson: text, stagnationDetected: undefined },
      },
    }),
  );

test("what was sent and what was missed are together everything, each number once and in order", async () => {
  const { stubs } = running();
  const identity = ids();
  const { sessionId, streamId } = identity;
  const probe = stubs.ingest();
  probe.open(identity);
  await probe.untilOpened();
  const slow = stubs.watch({ sessionId });
  const quick = stubs.watch({ sessionId });
  await slow.untilCaughtUp();
  await quick.untilCaughtUp();
  slow.pause();
  // 30 MB: more than the watcher's queue and all windows of its connection together.
  const total = 1_500;
  for (let seq = 1; seq <= total; seq += 20) {
    probe.batch(seq, frames(20));
    await probe.untilAcked(Math.max(0, seq - 60));
  }
  await probe.untilAcked(total);
  await quick.until(() => quick.told.get(streamId)?.at(-1) === total, "the quick one to have all");
  slow.resume();
  await slow.until(() => slow.told.get(streamId)?.at(-1) === total, "the slow one to hear of all");
  const numbers = Array.from({ length: total }, (_, index) => index + 1);
  expect(slow.told.get(streamId)).toEqual(numbers);
  const missed = slow.events.flatMap((event) => (event.$case === "missed" ? [event.value] : []));
  expect(missed.length).toBeGreaterThan(0);
  expect(missed.every((each) => each.streamId === streamId)).toBe(true);
  expect(slow.records.length).toBeGreaterThan(10);

  // It goes on live, and has a cursor again.
  probe.batch(total + 1, frames(1));
  await slow.until(() => slow.records.at(-1) === `${streamId}/${total + 1}`, "a live record");
  await slow.until(() => slow.cursor?.[streamId] === BigInt(total + 1), "a cursor");
});

test("a cursor is said only when everything before it was sent", async () => {
  const { stubs } = running();
  const identity = ids();
  const probe = stubs.ingest();
  probe.open(identity);
  await probe.untilOpened();
  const watch = stubs.watch({ sessionId: identity.sessionId });
  await watch.untilCaughtUp();
  for (let seq = 1; seq <= 200; seq += 20) probe.batch(seq, frames(20));
  await probe.untilAcked(200);
  await watch.until(() => watch.cursor?.[identity.streamId] === 200n, "the last cursor");
  let told = 0;
  for (const event of watch.events) {
    if (event.$case === "record") told = Number(event.value.seq);
    if (event.$case === "missed") told = Number(event.value.lastSeq);
    if (event.$case === "caughtUp") expect(Number(event.value.seqs[identity.streamId] ?? 0n)).toBeLessThanOrEqual(told);
  }
});
