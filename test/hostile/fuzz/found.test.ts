// Inputs that fuzzing found, each as small as it gets.
import { expect, test } from "vitest";
import { ids, oneServer } from "../../support/grpc/one-server.js";
import { gapEntry, recordEntry, score } from "../../support/records/batches.js";

const running = oneServer();

test("a batch that begins within the one before it: what is new is stored, once, and nobody calls it a broken invariant", async () => {
  const { stubs } = running();
  for (const [first, second] of [
    [[gapEntry(5)], [gapEntry(9)]],
    [[1, 2, 3, 4, 5].map((seq) => recordEntry(score(seq))), [3, 4, 5, 6, 7].map((seq) => recordEntry(score(seq)))],
    [
      [gapEntry(3), recordEntry(score(4))],
      [recordEntry(score(3)), recordEntry(score(4)), gapEntry(4)],
    ],
  ] as const) {
    const identity = ids();
    const probe = stubs.ingest();
    probe.open(identity);
    await probe.untilOpened();
    probe.batch(1, [...first]);
    probe.batch(3, [...second]);
    probe.batch(2, [...second, gapEntry(20)]);
    probe.halfClose();
    expect(await probe.untilEnded()).toMatchObject({ status: "OK" });
    const { streams } = await stubs.call("getLedger", { sessionId: identity.sessionId });
    const [ledger] = streams;
    const { stored, rejected, gapped } = ledger?.counts ?? { stored: 0n, rejected: 0n, gapped: 0n };
    expect(stored + rejected + gapped).toBe(ledger?.committedSeq);
    expect(Number(ledger?.committedSeq)).toBe(probe.ackedSeq);
  }
  expect(running().server.logged).toEqual([]);
});
