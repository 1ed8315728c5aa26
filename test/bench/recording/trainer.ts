/**
 * A trainer that records at a steady pace and times every append. Run as a child:
 * `node trainer.ts MODE ITEMS SECONDS`, where MODE is `none` (plain arrays, no SDK), `up`, `down`, `frozen` or `spilling`,
 * and ITEMS is `bare` or `metadata`. The server's address and process come by TAILKEEP_SERVER and SERVER_PID.
 *
 * A turn that takes long may be the machine's doing; what a turn costs in processor time of this thread is not. The garbage
 * collector runs when it likes, here in turns of its own plain arrays as well: turns that it fell into are left out of
 * `turnCpuMsMax`, and its longest pause is told beside it.
 */
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { DatabaseBoundedList, openRecorder } from "@tailkeep/client";
import { CollectorPauses, type Span } from "../collector-pauses.js";
import { percentile } from "../measure.js";

const [mode = "up", items = "bare", secondsText = "5"] = process.argv.slice(2);
const PER_TURN = 100;
const PAUSE_MS = 1;
const WARM_UP_MS = 1_500;
const serverPid = Number(process.env["SERVER_PID"] ?? 0);

interface List {
  append(item: object): unknown;
}

const recorder =
  mode === "none"
    ? undefined
    : openRecorder({
        server: mode === "down" || mode === "spilling" ? "127.0.0.1:1" : undefined,
        spillAfterMs: mode === "spilling" ? 0 : undefined,
        exitFlushMs: 0,
      });
recorder?.onProblem(({ message }) => console.error(message));
const list = makeList();
const item = items === "bare" ? bareItem : metadataItem;

function makeList(): List {
  if (recorder !== undefined) {
    const type = items === "bare" ? "score_history" : "performance_history";
    return new DatabaseBoundedList(type, { capacity: 10_000, recorder, gameId: "bench" }) as unknown as List;
  }
  const plain: object[] = [];
  return { append: (each) => void plain.push(each) };
}

function bareItem(n: number): object {
  return { score: n };
}

function metadataItem(n: number): object {
  return { score: n, winRate: 0.5, metadata: { loss: 0.25 * n, epsilon: 0.1, step: n } };
}

interface Turn extends Span {
  readonly cpuMs: number;
}

const appendNs: number[] = [];
const turns: Turn[] = [];
const pauses = new CollectorPauses();

async function run(untilMs: number, isMeasured: boolean): Promise<void> {
  for (let n = 0; performance.now() < untilMs; ) {
    for (let i = 0; i < PER_TURN; i++) {
      const each = item(n++);
      const startedMs = performance.now();
      list.append(each);
      if (isMeasured) appendNs.push((performance.now() - startedMs) * 1e6);
    }
    // What the SDK does when the trainer yields.
    const beganMs = performance.now();
    const cpuUs = cpuOfThread();
    await turn();
    if (isMeasured) turns.push({ beganMs, endedMs: performance.now(), cpuMs: (cpuOfThread() - cpuUs) / 1_000 });
    await sleep(PAUSE_MS);
  }
}

function cpuOfThread(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** What timing itself costs. */
function clockNs(): number {
  const found: number[] = [];
  for (let i = 0; i < 100_000; i++) {
    const startedMs = performance.now();
    found.push((performance.now() - startedMs) * 1e6);
  }
  return percentile(
    found.sort((a, b) => a - b),
    0.5,
  );
}

const longest = (found: readonly number[]) => found.reduce((most, each) => Math.max(most, each), 0);

await run(performance.now() + WARM_UP_MS, false);
const measuredFromMs = performance.now();
if (mode === "frozen") process.kill(serverPid, "SIGSTOP");
try {
  await run(performance.now() + Number(secondsText) * 1_000, true);
} finally {
  if (mode === "frozen") process.kill(serverPid, "SIGCONT");
}
await pauses.allHeard();
appendNs.sort((a, b) => a - b);
const overheadNs = clockNs();
const calm = pauses.calm(turns);
console.log(
  JSON.stringify({
    appends: appendNs.length,
    p50Ns: percentile(appendNs, 0.5) - overheadNs,
    p999Ns: percentile(appendNs, 0.999) - overheadNs,
    maxNs: (appendNs.at(-1) ?? 0) - overheadNs,
    turns: turns.length,
    turnsWithPauses: turns.length - calm.length,
    turnCpuMsMax: longest(calm.map(({ cpuMs }) => cpuMs)),
    turnCpuMsMaxWithPauses: longest(turns.map(({ cpuMs }) => cpuMs)),
    pauseMsMax: pauses.longestMs(measuredFromMs),
    ledger: recorder?.ledger,
  }),
);
process.exit(0);
