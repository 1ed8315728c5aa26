/**
 * The long form of the overload tests:
 * `npm run overload -- [--store sqlite|mysql] [--only overload|idle|sessions|watchers] [--seconds N] [--sessions N] ...`
 */
import { parseArgs } from "node:util";
import { type SystemUnderTest, startSystem } from "../../fault/harness/system.js";
import { isSkipped } from "../../support/databases/index.js";
import { Load, type LoadOptions, type LoadResult } from "./load.js";
import { idleStreams, type ManyResult, shortSessions, slowWatchers } from "./many.js";

const USAGE =
  "usage: npm run overload -- [--store sqlite|mysql] [--only overload|idle|sessions|watchers] [--seconds N] " +
  "[--streams N] [--factor N] [--idle N] [--sessions N] [--watchers N]";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "sqlite" },
    only: { type: "string", default: "overload,idle,sessions,watchers" },
    seconds: { type: "string", default: "60" },
    streams: { type: "string", default: "64" },
    factor: { type: "string", default: "10" },
    idle: { type: "string", default: "10000" },
    sessions: { type: "string", default: "1000000" },
    watchers: { type: "string", default: "200" },
  },
});
const { store } = values;
const counts = [values.seconds, values.streams, values.factor, values.idle, values.sessions, values.watchers].map(
  Number,
);
if ((store !== "sqlite" && store !== "mysql") || counts.some((count) => !(count >= 1))) {
  console.error(USAGE);
  process.exit(2);
}
const [seconds, streams, factor, idle, sessions, watchers] = counts as [number, number, number, number, number, number];

const mib = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;
const whole = (value: number) => Math.round(value).toLocaleString("en");
let failed = false;

process.exitCode = await run(store);

async function run(kind: "sqlite" | "mysql"): Promise<number> {
  const scenarios: readonly [string, (system: SystemUnderTest) => Promise<void>][] = [
    ["overload", overload],
    ["idle", async ({ server }) => many("idle streams", await idleStreams(server, idle, seconds * 1_000))],
    [
      "sessions",
      async ({ server }) =>
        many(
          "short sessions",
          await shortSessions(server, sessions, (done) => process.stdout.write(`\r${done} sessions   `)),
        ),
    ],
    ["watchers", async ({ server }) => many("slow watchers", await slowWatchers(server, watchers, 20))],
  ];
  for (const [name, scenario] of scenarios) {
    if (!values.only.split(",").includes(name)) continue;
    const system = await startSystem(kind);
    if (isSkipped(system)) {
      console.error(`overload: ${system.skipped}`);
      return 1;
    }
    try {
      console.log(`${name}, on ${system.engine}`);
      await scenario(system);
    } finally {
      await system.stop();
    }
  }
  return failed ? 1 : 0;
}

async function overload({ server }: SystemUnderTest): Promise<void> {
  const options: LoadOptions = {
    address: server.grpcAddress,
    serverPid: server.pid as number,
    streams,
    batchRecords: 128,
    name: "closed",
  };
  await loaded({ ...options, name: "warm" }, (load) => load.closedLoop(Math.min(5, seconds)));
  const peak = await loaded(options, (load) => load.closedLoop(Math.min(20, seconds)));
  line("closed loop", peak);
  const over = await loaded({ ...options, name: "open" }, (load) =>
    load.openLoop(seconds, peak.ackedPerSecond * factor),
  );
  line(`open loop, ${factor} times as much`, over);
  const after = await loaded({ ...options, name: "after" }, (load) => load.closedLoop(Math.min(10, seconds)));
  line("closed loop, right afterwards", after);
  console.log(`${await counter(server.httpUrl, "tailkeep_commit_retries_total")} transactions had to be run again`);
  const goodput = over.ackedPerSecond / peak.ackedPerSecond;
  console.log(`goodput ${(goodput * 100).toFixed(0)} % of the closed loop's rate`);
  if (goodput < 0.9 || over.unacked > 0) failed = true;
}

async function counter(url: string, name: string): Promise<string> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return new RegExp(`^${name} (\\d+)$`, "m").exec(metrics)?.[1] ?? "an unknown number of";
}

async function loaded(options: LoadOptions, run: (load: Load) => Promise<LoadResult>): Promise<LoadResult> {
  const load = new Load(options);
  try {
    await load.ready();
    return await run(load);
  } finally {
    load.close();
  }
}

function line(name: string, result: LoadResult): void {
  console.log(
    `${name}: ${whole(result.offeredPerSecond)} records a second offered, ${whole(result.ackedPerSecond)} acked; ` +
      `ack p50 ${whole(result.p50Ms)} ms, p99 ${whole(result.p99Ms)} ms (${whole(result.settledP99Ms)} after the first third), ` +
      `longest ${whole(result.maxMs)} ms; ` +
      `${result.endedCalls} calls refused; resident ${mib(result.residentBytesMax)}; ` +
      `all acked ${whole(result.drainedMs)} ms after the last offer, ${result.unacked} left`,
  );
  for (const ending of result.endings) console.log(`  ${ending}`);
}

function many(name: string, result: ManyResult): void {
  console.log(
    `\n${whole(result.count)} ${name} in ${whole(result.seconds)} s: resident ${mib(result.startBytes)} before, ` +
      `${mib(result.peakBytes)} at its highest, ${mib(result.endBytes)} after; ` +
      `a neighbour's slowest ack ${whole(result.slowestAckMs)} ms; ${result.problems.length} problems`,
  );
  for (const problem of result.problems) console.log(`- ${problem}`);
  if (result.problems.length > 0) failed = true;
}
