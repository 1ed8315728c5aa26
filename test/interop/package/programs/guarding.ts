import assert from "node:assert/strict";
import {
  applyMemoryLeakFixes,
  BoundedList,
  boundDict,
  boundList,
  boundSet,
  cleanupOldData,
  KNOWN_LIMITS,
  MemoryGuard,
  monitorMemoryUsage,
} from "@tailkeep/client";

export async function guarding(): Promise<void> {
  const trainer = { performanceHistory: Array.from({ length: 500 }, (_, n) => n), notes: [] as string[] };
  using guard = new MemoryGuard({ everyMs: 0 });
  guard.watch(trainer);
  guard.cleanup(trainer);
  assert.equal(trainer.performanceHistory.length, KNOWN_LIMITS.performanceHistory);
  applyMemoryLeakFixes(trainer, { attributes: ["notes"], itemsMax: 2 });
  trainer.notes.push("a", "b", "c");
  assert.ok(trainer.notes instanceof BoundedList);
  assert.deepEqual([...trainer.notes], ["b", "c"]);

  assert.deepEqual(boundList([1, 2, 3], 2), [2, 3]);
  assert.deepEqual(boundDict({ a: 1, b: 2 }, 1), { b: 2 });
  assert.deepEqual(boundSet(new Set([1, 2]), 1), new Set([2]));
  const kept = cleanupOldData({ old: { timestamp: 0 }, young: { timestamp: Date.now() / 1_000 } });
  assert.deepEqual(Object.keys(kept), ["young"]);
  const { residentBytes, totalBytes } = monitorMemoryUsage();
  assert.ok(residentBytes > 0 && residentBytes < totalBytes);
}
