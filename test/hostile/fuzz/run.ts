/** The long form of the fuzzing: `npm run fuzz -- --inputs 1000000 [--seed S] [--store sqlite|mysql]` */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { startSystem } from "../../fault/harness/system.js";
import { isSkipped } from "../../support/databases/index.js";
import { fuzz } from "./campaign.js";
import { fuzzDecoders } from "./decode.js";
import { fuzzKeys } from "./keys/key-campaign.js";
import { corpus } from "./messages.js";
import { endingsTable, report } from "./report.js";

const USAGE = "usage: npm run fuzz -- [--inputs N] [--seed TEXT] [--store sqlite|mysql] [--only keys]";
/** Of the inputs, how many the methods of keys get, on a server of their own that asks for keys. */
const KEY_INPUTS_SHARE = 0.05;
const CORPUS_EACH = 600;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: randomBytes(3).toString("hex") },
    store: { type: "string", default: "sqlite" },
    only: { type: "string" },
  },
});
const inputs = Number(values.inputs);
const { seed, store, only } = values;
if (
  !(Number.isInteger(inputs) && inputs >= 1) ||
  (store !== "sqlite" && store !== "mysql") ||
  !(only === undefined || only === "keys")
) {
  console.error(USAGE);
  process.exit(2);
}
const failures = only === "keys" ? 0 : await run(store);
process.exitCode = failures + (await runKeys(store, only === "keys" ? inputs : Math.ceil(inputs * KEY_INPUTS_SHARE)));

async function run(kind: "sqlite" | "mysql"): Promise<number> {
  console.log(`seed ${seed}: ${inputs} inputs, on ${kind}`);
  const decodeMs = performance.now();
  const { decoded } = fuzzDecoders(corpus(1, CORPUS_EACH), seed, inputs);
  const seconds = (performance.now() - decodeMs) / 1_000;
  console.log(`decoders alone: ${inputs} inputs in ${seconds.toFixed(0)} s, ${decoded} decoded, the others refused`);
  const system = await startSystem(kind);
  if (isSkipped(system)) {
    console.error(`fuzz: ${system.skipped}`);
    return 1;
  }
  try {
    const startedMs = performance.now();
    const result = await fuzz({
      server: system.server,
      seed,
      inputs,
      corpusEach: CORPUS_EACH,
      onProgress: (sent) => {
        const rate = sent / ((performance.now() - startedMs) / 1_000);
        process.stdout.write(`\r${sent} of ${inputs}, ${rate.toFixed(0)} a second   `);
      },
    });
    console.log(`\n\n${report(result, system.engine, (performance.now() - startedMs) / 1_000)}`);
    return result.violations.length === 0 ? 0 : 1;
  } finally {
    await system.stop();
  }
}

async function runKeys(kind: "sqlite" | "mysql", count: number): Promise<number> {
  console.log(`methods of keys, seed ${seed}: ${count} inputs, on ${kind}`);
  const system = await startSystem(kind);
  if (isSkipped(system)) {
    console.error(`fuzz: ${system.skipped}`);
    return 1;
  }
  try {
    const startedMs = performance.now();
    const { location, server } = system;
    const url = "file" in location ? `sqlite:${location.file}` : location.url;
    const result = await fuzzKeys({ server, store: url, seed, inputs: count, corpusEach: CORPUS_EACH });
    const seconds = (performance.now() - startedMs) / 1_000;
    console.log(
      `${result.sent} inputs on ${system.engine} in ${seconds.toFixed(0)} s\n\n${endingsTable(result.endings)}\n`,
    );
    console.log(`keys made: ${result.made}, live at most: ${result.liveMax}; restarts: ${result.restarts}`);
    console.log(
      [`violations: ${result.violations.length}`, ...result.violations.map((each) => `- ${each}`)].join("\n"),
    );
    return result.violations.length === 0 && result.restarts === 0 ? 0 : 1;
  } finally {
    await system.stop();
  }
}
