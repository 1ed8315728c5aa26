/**
 * Ten containers, ten million records. Run as a child with --expose-gc: `node flat-memory.ts KIND RECORDS`, where KIND is
 * `tailkeep` or `arrays` (the growing arrays and objects that they replace). Prints heap and resident memory a million.
 */
import { setImmediate as turn } from "node:timers/promises";
import { DatabaseBoundedDict, DatabaseBoundedList, openRecorder, RECORD_TYPE_NAMES } from "@tailkeep/client";

const [kind = "tailkeep", recordsText = "10000000"] = process.argv.slice(2);
const RECORDS = Number(recordsText);
const STEPS = 10;
const PER_TURN = 500;
const CAPACITY = 1_000;
const collect = (globalThis as { gc?: () => void }).gc;

type Write = (n: number) => void;
const recorder = kind === "tailkeep" ? openRecorder() : undefined;

const lists: Write[] = RECORD_TYPE_NAMES.map((type) => {
  const item = (n: number) => ({
    score: n,
    status: "WIN",
    actionType: "ACTION1",
    frameHash: `${n}`,
    coordinateX: n % 64,
  });
  if (recorder === undefined) {
    const plain: object[] = [];
    return (n) => void plain.push(item(n));
  }
  const list = new DatabaseBoundedList(type, { capacity: CAPACITY, recorder });
  return (n) => list.append(item(n) as never);
});
const dicts: Write[] = (["coordinate_tracking", "frame_tracking", "score_history", "action_tracking"] as const).map(
  (type) => {
    const key = (n: number) => (type === "coordinate_tracking" ? `${n % 30_000},${n % 17}` : `key-${n}`);
    if (recorder === undefined) {
      const plain = new Map<string, object>();
      return (n) => void plain.set(key(n), { score: n, success: true });
    }
    const dict = new DatabaseBoundedDict(type, { capacity: CAPACITY, recorder });
    return (n) => void dict.set(key(n) as never, { score: n, success: true } as never);
  },
);
const writes = [...lists, ...dicts];

const samples: { records: number; heapMiB: number; residentMiB: number; seconds: number }[] = [];
const startedMs = performance.now();
for (let n = 0, step = 1; n < RECORDS; ) {
  for (let i = 0; i < PER_TURN && n < RECORDS; i++, n++) writes[n % writes.length]?.(n);
  // A trainer that would rather wait than fill the disk.
  if (recorder !== undefined && recorder.memoryBytes > recorder.options.memoryBytesMax / 4) await recorder.drained();
  await turn();
  if (n >= (RECORDS / STEPS) * step) {
    step++;
    collect?.();
    const { heapUsed, rss } = process.memoryUsage();
    const seconds = (performance.now() - startedMs) / 1_000;
    samples.push({ records: n, heapMiB: heapUsed / 2 ** 20, residentMiB: rss / 2 ** 20, seconds });
    console.error(
      `  ${kind}: ${n} records, heap ${(heapUsed / 2 ** 20).toFixed(1)}, resident ${(rss / 2 ** 20).toFixed(1)} MiB`,
    );
  }
}
const ledger = await recorder?.close({ timeoutMs: 120_000 });
console.log(JSON.stringify({ samples, ledger }));
process.exit(0);
