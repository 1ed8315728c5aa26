// A trainer that spills, to be killed. Run as `node trainer.ts FOLDER STREAM MODE EVERY_MS FREE_MIN`; says on its output what a
// successor must find. The contents of a batch follow from its stream and its number.
import { writeSync } from "node:fs";
import { EncodedBatch } from "../../../client/dist/encode/encoded-batch.js";
import { SpillFolder } from "../../../client/dist/spill/index.js";
import { contentsOf, RECORDS } from "./contents.js";

const [, , folder = "", streamId = "", mode = "", everyMs = "", freeMin = ""] = process.argv;

/** On its way before this process can die of anything that comes after it. */
const say = (text: string): void => void writeSync(1, `${text}\n`);

say(`pid ${process.pid}`);
const spill = new SpillFolder({
  folder,
  bytesMax: 2 ** 30,
  freeBytesMin: Number(freeMin),
  sync: { everyMs: Number(everyMs) },
  onProblem: ({ code, message }) => say(`problem ${code} ${message}`),
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

if (mode.startsWith("adopt")) {
  // Nothing of a spill keeps a process alive, not even what it awaits.
  setInterval(() => undefined, 1_000);
  say("looks");
  for (const { identity } of await spill.adopt()) say(`adopted ${identity.streamId}`);
  say("adopted all");
}
if (mode !== "adopt only") {
  const log = spill.log({ sessionId: "session", streamId, writerId: `writer of ${streamId}` });
  if (log === undefined) {
    say("cannot spill");
    process.exit(0);
  }
  log.onSynced((seq) => say(`synced ${seq}`));
  for (let firstSeq = 1; ; firstSeq += RECORDS) {
    if (log.append(EncodedBatch.ofRecords(firstSeq, RECORDS, contentsOf(streamId, firstSeq))) !== "taken") {
      say("refused");
      await new Promise((resolve) => setTimeout(resolve, 5));
      firstSeq -= RECORDS;
      continue;
    }
    if (mode === "end" && log.lastSeq >= 1_000) break;
    if (mode === "never yields") {
      if (log.unwrittenBytes > 100_000) {
        log.writeSync();
        say(`written ${log.lastSeq}`);
      }
      // Hardly ever: long enough to begin a write, whose end it does not hear of.
      if (firstSeq % 1_000 === 1) await turn();
      continue;
    }
    if (mode === "replays" && log.unreadSeq < log.lastSeq - 500) {
      const batch = await log.next();
      // Said before it is done: what is acked need not be found, but may.
      if (batch !== undefined && batch.firstSeq % 7 === 0) {
        say(`acked ${batch.lastSeq}`);
        log.acked(batch.lastSeq);
      }
    }
    if (firstSeq % 11 === 0) await turn();
    // Busy, not wild: the disk is others' too.
    if (firstSeq % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    while (log.unwrittenBytes > 1_000_000) await turn();
  }
  say("ended");
}
