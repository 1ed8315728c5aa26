/** `npm run overload`: the long form of the overload tests. */
import { STORE_KINDS, type SystemUnderTest, startSystem } from "../../fault/harness/system.js";
import { CommandLine } from "../../support/command-line.js";
import { isSkipped } from "../../support/databases/index.js";
import { readMetrics } from "../../support/metrics.js";
import { Load, type LoadOptions, type LoadResult } from "./load.js";
import { idleStreams, type ManyResult, shortSessions, slowWatchers } from "./many.js";

const SCENARIOS = "overload,idle,sessions,watchers";

const options = new CommandLine(
  "overload",
  "Gives a real server more than it can take, of what there can be too much of.",
  {
    store: { type: "string", default: "sqlite", value: STORE_KINDS.join("|"), says: "of the server" },
    only: { type: "string", default: SCENARIOS, value: "NAMES", says: "these scenarios, with commas" },
    seconds: { type: "string", default: "60", value: "N", says: "of open load, and of idling" },
    streams: { type: "string", default: "64", value: "N", says: "under load" },
    factor: { type: "string", default: "10", value: "N", says: "times what the server takes is offered" },
    idle: { type: "string", default: "10000", value: "N", says: "idle streams" },
    sessions: { type: "string", default: "1000000", value: "N", says: "short sessions" },
    watchers: { type: "string", default: "200", value: "N", says: "slow watchers" },
  },
);
const kind = options.oneOf("store", STORE_KINDS);
const wanted = options.values.only.split(",");
for (const name of wanted)
  if (!SCENARIOS.split(",").includes(name)) options.refuse(`--only: no scenario is called ${name}`);
const [seconds, streams, factor] = [options.whole("seconds"), options.whole("streams"), options.whole("factor")];
const [idle, sessions, watchers] = [options.whole("idle"), options.whole("sessions"), options.whole("watchers")];

const mib = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;
const whole = (value: number) => Math.round(value).toLocaleString("en");
let failed = false;

process.exitCode = await run();

async function run(): Promise<number> {
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
    if (!wanted.includes(name)) continue;
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
  return String((await readMetrics(url)).get(name) ?? "an unknown number of");
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
