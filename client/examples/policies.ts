// What is kept when the server is away and memory is short: scores go to disk, frames lose their oldest. Run it without a
// server, then again with one: what the first run spilled is sent by the second.
import { DatabaseBoundedList, openRecorder, setDefaultRecorder } from "@tailkeep/client";

const recorder = openRecorder({
  // Types that are not named spill.
  overflow: { frame_tracking: "drop-oldest", coordinate_tracking: "drop-newest" },
  memoryBytesMax: 8 * 1024 * 1024,
  spill: { bytesMax: 256 * 1024 * 1024 },
});
recorder.onProblem(({ code, message }) => console.error(`${code}: ${message}`));
// Containers made from now on use it.
setDefaultRecorder(recorder);

const scores = new DatabaseBoundedList("score_history", { gameId: "ls20" });
const frames = new DatabaseBoundedList("frame_tracking", { gameId: "ls20" });
const picture = "#.".repeat(2_000);
for (let step = 1; step <= 5_000; step++) {
  scores.append(step);
  frames.append({ frameHash: `frame-${step}`, picture });
  // A trainer that would rather wait than lose frames says so: await recorder.drained({ timeoutMs: 5_000 });
}

// Whatever is not durable in time is on disk when `close` resolves, if it may be spilled; frames may not.
await recorder.replayed({ timeoutMs: 2_000 }).catch(() => undefined);
const { appended, durable, pending, rejected, dropped } = await recorder.close({ timeoutMs: 2_000 });
console.log(
  JSON.stringify({ appended, durable, pending, rejected, overflow: dropped.overflow, closed: dropped.closed }),
);
console.log(JSON.stringify({ replayed: recorder.replayLedger.durable, replayPending: recorder.replayLedger.pending }));
