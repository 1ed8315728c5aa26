/**
 * Ingest while rows expire on SQLite, against ingest on the same file while none do. Each round starts the server anew: it
 * lets trainers come back before it looks for what has expired, and the same load is measured before and after that.
 *
 * MySQL drops partitions, which costs the same however many rows they have.
 */
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { EXPIRY_FIRST_MS } from "@tailkeep/server/dist/limits.js";
import { openStore } from "@tailkeep/server/dist/store/open-store.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { child, median } from "./measure.js";
import { fill } from "./series.js";
import { type Claim, perSecond } from "./table.js";

const ROUNDS = 3;
const STREAMS = 4;
/** Rows are stored with a day that has passed, so that they are due as soon as somebody looks. */
const DAYS_AGO = 2;
const BEGUN_MS_MAX = EXPIRY_FIRST_MS + 60_000;
const SHARE_KEPT_MIN = 0.9;
/** A server that has just started is slower than it will be. */
const WARM_SHARE = 0.25;

const say = (text: string) => console.error(`  ${text}`);

/** How many have gone: they go in the order in which they were stored. */
function goneRows(direct: DatabaseSync): number {
  const row = direct.prepare("SELECT MIN(rowid) AS first FROM performance_history_rows").get();
  return Number(row?.["first"]) - 1;
}

interface Round {
  quiet: number;
  expiring: number;
  /** Rows that expired a second beside the load. */
  gonePerSecond: number;
}

async function measureRound(file: string, round: number, due: number, records: number): Promise<Round> {
  const server = await TailkeepServer.start({ store: `sqlite:${file}`, env: { TAILKEEP_LOG_LEVEL: "warn" } });
  const direct = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  // Time goes on from load to load: records of the same time over and over would be put between those there are.
  let first = due + round * 4 * records;
  const load = async (session: string, count: number) => {
    first += count;
    const args = [server.grpcAddress, session, STREAMS, count, 256, first] as const;
    return (await child<{ perSecond: number }>("load.ts", ...args)).perSecond;
  };
  try {
    const before = goneRows(direct);
    await load(`warm-${round}`, records * WARM_SHARE);
    const quiet = await load(`quiet-${round}`, records);
    if (goneRows(direct) > before) throw new Error("rows expired too early to measure without; use fewer records");
    const giveUpAtMs = performance.now() + BEGUN_MS_MAX;
    while (goneRows(direct) === before) {
      if (performance.now() > giveUpAtMs) throw new Error("expiry has not begun");
      await sleep(20);
    }
    const [startedMs, goneAtStart] = [performance.now(), goneRows(direct)];
    const expiring = await load(`expiring-${round}`, records);
    const gone = goneRows(direct);
    if (gone >= due) throw new Error("all had expired before the load ended; use more rows");
    return { quiet, expiring, gonePerSecond: ((gone - goneAtStart) * 1_000) / (performance.now() - startedMs) };
  } finally {
    direct.close();
    await server.stop();
  }
}

/** @param due rows that are to expire @param records sent in each half of a round */
export async function benchExpiry(file: string, due: number, records: number): Promise<Claim> {
  console.error("SQLite, expiry:");
  // Their sums with them: a server that found none would make them beside the load.
  const old = openStore({
    store: `sqlite:${file}`,
    retentionDays: -DAYS_AGO,
    deadLetterBytesMax: 1_048_576,
    mysqlLanes: 1,
  });
  await old.start();
  await fill(old, "old", due, say);
  await old.close();
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const found = await measureRound(file, round, due, records);
    rounds.push(found);
    const { quiet, expiring, gonePerSecond } = found;
    say(
      `round ${round + 1}: ${perSecond(expiring)} while ${perSecond(gonePerSecond)} expire, ${perSecond(quiet)} without`,
    );
  }
  const value = median(rounds.map(({ quiet, expiring }) => expiring / quiet));
  return {
    name: `ingest while ${due / 1_000_000} M rows expire`,
    store: "SQLite",
    ours: perSecond(median(rounds.map(({ expiring }) => expiring))),
    yardstick: perSecond(median(rounds.map(({ quiet }) => quiet))),
    value,
    bound: `>= ${SHARE_KEPT_MIN}`,
    holds: value >= SHARE_KEPT_MIN,
  };
}
