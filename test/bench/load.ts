/**
 * The load: one process with the SDK. Run as a child: `node load.ts ADDRESS SESSION STREAMS RECORDS PER_MESSAGE [FIRST]`;
 * prints records a second from the first append to the last ack.
 */
import { connect } from "@tailkeep/client";
import { record } from "./rows.js";

const [server = "", sessionId = "", streamsText = "", recordsText = "", perMessageText = "", firstText = "0"] =
  process.argv.slice(2);
const streams = Number(streamsText);
const share = Math.ceil(Number(recordsText) / streams);
const first = Number(firstText);
const FLUSH_MS_MAX = 600_000;

const client = connect({ server });

async function send(): Promise<void> {
  const stream = client.openStream({ sessionId, flushRecords: Number(perMessageText) });
  for (let n = first; n < first + share; n++) {
    const each = record(n);
    while (stream.append(each).outcome === "full") await stream.ready({ timeoutMs: FLUSH_MS_MAX });
  }
  await stream.flush({ timeoutMs: FLUSH_MS_MAX });
  await stream.close({ timeoutMs: FLUSH_MS_MAX });
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: streams }, send));
const seconds = (performance.now() - startedMs) / 1_000;
console.log(
  JSON.stringify({
    perSecond: (share * streams) / seconds,
    cpuUs: (process.cpuUsage().user + process.cpuUsage().system) / (share * streams),
  }),
);
await client.close();
