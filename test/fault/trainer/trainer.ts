/**
 * A trainer that is there to be killed: appends numbered scores to its session and tells its parent, line by line, what it
 * has appended and up to where each stream would outlive it. Everything comes from the environment.
 *
 *   appended N        numbers 1 to N were handed to the recorder
 *   safe STREAM N     N records of that stream are acked, or synced to disk
 *   done              all of it is durable, and so is what predecessors had left
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openRecorder } from "@tailkeep/client";

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

const RUN = setting("TRAINER_RUN");
const COUNT = Number(setting("TRAINER_COUNT"));
const BURST = Number(setting("TRAINER_BURST"));
const PAUSE_MS = Number(setting("TRAINER_PAUSE_MS"));
const SPILL_AFTER_MS = Number(setting("TRAINER_SPILL_AFTER_MS"));
const SYNC_MS = Number(setting("TRAINER_SYNC_MS"));
/** The last trainer of a round stays until everything is durable. */
const STAYS = setting("TRAINER_STAYS") === "yes";

const say = (line: string): void => void writeSync(1, `${line}\n`);

const recorder = openRecorder({
  spillAfterMs: SPILL_AFTER_MS,
  flushRecords: 16,
  memoryBytesMax: 8 * 1024 * 1024,
  spill: { sync: SYNC_MS === 0 ? "always" : { everyMs: SYNC_MS }, freeBytesMin: 0 },
});
recorder.onProblem(({ code, message }) => console.error(`${code} ${message}`));

const safe = new Map<string, number>();
const tellSafe = (): void => {
  for (const { streamId, safeSeq } of recorder.lanes) {
    if (safeSeq <= (safe.get(streamId) ?? 0)) continue;
    safe.set(streamId, safeSeq);
    say(`safe ${streamId} ${safeSeq}`);
  }
};
const telling = setInterval(tellSafe, 2);
telling.unref();

for (let n = 1; n <= COUNT; n++) {
  recorder.append({ type: "score_history", score: n, scoreType: RUN });
  if (n % BURST === 0) {
    say(`appended ${n}`);
    await sleep(PAUSE_MS);
  }
}
say(`appended ${COUNT}`);
if (STAYS) {
  await recorder.flush({ timeoutMs: 60_000 });
  await recorder.replayed({ timeoutMs: 60_000 });
  tellSafe();
  const { ledger, replayLedger } = recorder;
  await recorder.close();
  say(`ledger ${JSON.stringify(ledger)}`);
  say(`replayed ${JSON.stringify(replayLedger)}`);
  say("done");
} else {
  // Alive until it is killed.
  await sleep(60_000);
}
