/** A writer that is stopped, loses its stream meanwhile, and wakes up: appends for ever and says what it hears, as lines of JSON. */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@tailkeep/client";

const [server = "", sessionId = "", streamId = ""] = process.argv.slice(2);
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

const client = connect({ server });
const stream = client.openStream({ sessionId, streamId, flushRecords: 16, queueRecordsMax: 2_000 });
stream.onAck((acked) => say({ acked }));
stream.onStateChange((state) => {
  if (state.name === "failed") say({ failed: state.error.code });
});
for (let score = 1; ; ) {
  for (let at = 0; at < 20; at++) {
    if (stream.append({ type: "score_history", score, scoreType: "old" }).outcome === "queued") score++;
  }
  await sleep(2);
}
