/**
 * Drawing a series of ten million records: the first paint (all of it) and zooms, asked over gRPC of a server of its own.
 * The records come in through the store's own commit and are summed up as a server would, without the network between.
 */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { connect } from "@tailkeep/client";
import { RecordType } from "@tailkeep/proto";
import { systemClock } from "@tailkeep/server/dist/base/clock.js";
import { runOf } from "@tailkeep/server/dist/commit/stream-queue.js";
import { type Batch, emptyRows, type Rows } from "@tailkeep/server/dist/record/batch.js";
import { TABLE_COUNT, tableOfType } from "@tailkeep/server/dist/record/tables.js";
import { Roller } from "@tailkeep/server/dist/series/index.js";
import { openStore } from "@tailkeep/server/dist/store/open-store.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { child, median, percentile, times } from "./measure.js";
import { type Claim, ms, perSecond } from "./table.js";

const SESSION = "series";
export const BATCH_RECORDS = 8_192;
const EPOCH_US = 1_795_000_000_000_000;
const STEP_US = 10_000;
const SUMMING_ROUNDS = 3;

/** A score and three numbers of metadata, as a trainer writes them at every step. */
export function batch(firstSeq: number, count: number): Batch {
  const index = tableOfType(RecordType.PERFORMANCE_HISTORY)?.index ?? 0;
  const rows: Rows = emptyRows();
  for (let seq = firstSeq; seq < firstSeq + count; seq++) {
    rows.seqs.push(seq);
    rows.timesUs.push(EPOCH_US + seq * STEP_US);
    rows.nonfinite.push(null);
    const loss = 1 / Math.sqrt(seq) + Math.random() / 100;
    const score = seq % 65_537 === 0 ? 1e6 : Math.random() * 100;
    rows.values.push("ls20", score, 0.5, null, `{"loss":${loss.toFixed(6)},"epsilon":0.1,"step":${seq}}`);
  }
  const bytes = Buffer.alloc(0);
  const all = Array.from({ length: TABLE_COUNT }, (_, table) => (table === index ? rows : undefined));
  return { firstSeq, lastSeq: firstSeq + count - 1, rows: all, gaps: [], rejected: [], rowCount: count, bytes };
}

/** Stores records and their sums, as a server does. */
export async function fill(
  store: Store,
  sessionId: string,
  records: number,
  say: (text: string) => void,
): Promise<void> {
  const owner = { namespace: "default", sessionId, streamId: "only", writerId: "bench" };
  const opened = await store.openStream({ ...owner, ackedSeq: 0, takeover: false, labels: {}, mode: "open" });
  if (opened.kind !== "opened") throw new Error(`the stream is ${opened.kind}`);
  const identity = { ...owner, key: opened.key, epoch: opened.epoch };
  const roller = new Roller(store, systemClock, {
    failed: (error) => {
      throw error;
    },
    written: () => undefined,
  });
  const stop = new AbortController();
  const kept = roller.keep(stop.signal, () => true);
  let rollMs = 0;
  const startedMs = performance.now();
  for (let seq = 1; seq <= records; seq += BATCH_RECORDS) {
    const each = batch(seq, Math.min(BATCH_RECORDS, records - seq + 1));
    const [outcome] = await store.commit([runOf(identity, [each])]);
    if (outcome?.kind !== "committed") throw new Error(`the run is ${outcome?.kind}`);
    const rolledMs = performance.now();
    roller.committed({ key: opened.key, namespace: "default", sessionId }, [each], outcome.committedSeq);
    rollMs += performance.now() - rolledMs;
  }
  await roller.flush();
  stop.abort();
  await kept;
  const seconds = (performance.now() - startedMs) / 1_000;
  say(
    `${records.toLocaleString("en")} records in ${seconds.toFixed(0)} s; summing up took ` +
      `${((rollMs * 1_000) / records).toFixed(2)} µs of the event loop for each`,
  );
}

/** Seconds of processor time that a process has used. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const TICKS_PER_SECOND = 100;
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The same load on two servers in turns, one of which sums up: what that costs ingest. */
export async function benchSummingUp(
  name: string,
  stores: readonly [string, string],
  records: number,
): Promise<Claim[]> {
  const sides = [];
  for (const [at, store] of stores.entries()) {
    const env = { TAILKEEP_LOG_LEVEL: "warn", TAILKEEP_ROLLUPS: String(at === 0) };
    sides.push({ server: await TailkeepServer.start({ store, env }), rates: [] as number[], cpuUs: [] as number[] });
  }
  for (let round = 0; round < SUMMING_ROUNDS; round++) {
    for (const { server, rates, cpuUs } of sides) {
      const before = processorSeconds(server.pid ?? 0);
      const { perSecond: rate } = await child<{ perSecond: number }>(
        "load.ts",
        server.grpcAddress,
        `r${round}`,
        4,
        records,
        256,
      );
      rates.push(rate);
      cpuUs.push(((processorSeconds(server.pid ?? 0) - before) * 1_000_000) / records);
    }
  }
  const [on, off] = sides.map(({ rates, cpuUs }) => ({ rate: median(rates), cpuUs: median(cpuUs) }));
  for (const { server } of sides) await server.stop();
  if (on === undefined || off === undefined) return [];
  console.error(
    `  server's processor time a record: ${on.cpuUs.toFixed(2)} µs summing up, ${off.cpuUs.toFixed(2)} without`,
  );
  const value = on.rate / off.rate;
  const bound = 0.85;
  return [
    {
      name: "ingest, summing up against not",
      store: name,
      ours: perSecond(on.rate),
      yardstick: perSecond(off.rate),
      value,
      bound: `>= ${bound}`,
      holds: value >= bound,
    },
  ];
}

export async function benchSeries(
  name: string,
  store: string,
  records: number,
  bytesOf: () => Promise<{ rollups: number; rows: number }>,
): Promise<Claim[]> {
  const say = (text: string) => console.error(`  ${text}`);
  console.error(`${name}, series:`);
  const own = openStore({ store, retentionDays: 30, deadLetterBytesMax: 1_048_576, mysqlLanes: 2 });
  await own.start();
  await fill(own, SESSION, records, say);
  await own.close();
  const { rollups, rows } = await bytesOf();
  say(`rollups take ${(rollups / records).toFixed(1)} bytes a record, rows ${(rows / records).toFixed(0)}`);
  const server = await TailkeepServer.start({ store, env: { TAILKEEP_LOG_LEVEL: "warn" } });
  const client = connect({ server: server.grpcAddress });
  const claims: Claim[] = [];
  const claim = (what: string, found: readonly number[], bound: number) => {
    const [p50, most] = [percentile(found, 0.5), percentile(found, 1)];
    const ours = `p50 ${ms(p50)}, max ${ms(most)}`;
    claims.push({
      name: what,
      store: name,
      ours,
      yardstick: `${bound} ms`,
      value: p50 / bound,
      bound: "<= 1",
      holds: p50 <= bound,
    });
  };
  try {
    const question = { sessionId: SESSION, type: "performance_history", column: "score", points: 1_000 } as const;
    // The connection is there; nothing of the series has been read.
    await client.history.listSessions().firstPage();
    const first = await times(1, () => client.history.getSeries(question));
    claim(`first paint of ${records / 1_000_000} M, cold`, first, 200);
    claim("first paint, again", await times(20, () => client.history.getSeries(question)), 200);
    const byStep = { ...question, column: "metadata.loss", x: "metadata.step" };
    claim("first paint over metadata.step", await times(20, () => client.history.getSeries(byStep)), 200);
    const length = records * STEP_US;
    for (const share of [0.5, 0.1, 0.01, 0.003, 0.0016, 0.0001]) {
      const zoom = async () => {
        const from = EPOCH_US + Math.random() * (1 - share) * length;
        const { complete, wideBuckets } = await client.history.getSeries({
          ...question,
          from,
          to: from + share * length,
        });
        if (!complete || wideBuckets > 0) throw new Error(`a zoom to ${share} is not exact`);
      };
      claim(`zoom to ${(records * share).toLocaleString("en")} records`, await times(30, zoom), 100);
    }
  } finally {
    await client.close();
    await server.stop();
  }
  return claims;
}
