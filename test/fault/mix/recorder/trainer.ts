/**
 * A trainer with a recorder and a spill folder, there to be harmed: appends numbered records and says, a line of JSON each,
 * what it has appended, up to where its streams would outlive it, which problems it was told, and at the end its ledger.
 * Its wishes come as JSON from the environment.
 */
import { writeSync } from "node:fs";
import { createHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { openRecorder } from "@tailkeep/client";

/** See RecorderLifeOptions. */
interface Wishes {
  readonly run: string;
  readonly count: number;
  readonly recordBytes: number;
  readonly burst: number;
  readonly pauseMs: number;
  readonly spillAfterMs: number;
  readonly syncMs: number;
  readonly endsByItself: boolean;
}

const wishes = JSON.parse(process.env["TRAINER_WISHES"] ?? "{}") as Wishes;
const { run, count, recordBytes, burst, pauseMs, spillAfterMs, syncMs, endsByItself } = wishes;
const FINISH_MS_MAX = 40_000;

const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);
say({ pid: process.pid });

const recorder = openRecorder({
  spillAfterMs,
  flushRecords: 16,
  memoryBytesMax: 8 * 1024 * 1024,
  spill: { sync: syncMs === 0 ? "always" : { everyMs: syncMs }, freeBytesMin: 0 },
});
recorder.onProblem((problem) => say({ problem: problem.code, message: problem.message }));

let saidSafe = 0;
const saySafe = (): void => {
  for (const { streamId, safeSeq } of recorder.lanes) {
    if (safeSeq <= saidSafe) continue;
    saidSafe = safeSeq;
    say({ safe: safeSeq, streamId });
  }
};
setInterval(saySafe, 2).unref();

const loopDelay = monitorEventLoopDelay({ resolution: 5 });
loopDelay.enable();
const appendNs = createHistogram();
const padding = "x".repeat(recordBytes);
for (let n = 1; n <= count; n++) {
  const startedNs = process.hrtime.bigint();
  recorder.append({ type: "performance_history", score: n, gameId: run, metadata: { padding } });
  appendNs.record(process.hrtime.bigint() - startedNs || 1n);
  if (n % burst === 0) {
    say({ appended: n });
    await sleep(pauseMs);
  }
}
say({ appended: count });
if (endsByItself) {
  await recorder.flush({ timeoutMs: FINISH_MS_MAX });
  await recorder.replayed({ timeoutMs: FINISH_MS_MAX });
  saySafe();
  const { ledger } = recorder;
  await recorder.close();
  loopDelay.disable();
  say({ ledger, appendP999Us: appendNs.percentile(99.9) / 1_000, stallMsMax: loopDelay.max / 1e6 });
} else {
  // Alive until it is killed.
  await sleep(120_000);
}
