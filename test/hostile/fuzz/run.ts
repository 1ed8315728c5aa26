/** The long form of the fuzzing: `npm run fuzz -- --inputs 1000000 [--seed S] [--store sqlite|mysql]` */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { startSystem } from "../../fault/harness/system.js";
import { isSkipped } from "../../support/databases/index.js";
import { fuzz } from "./campaign.js";
import { fuzzDecoders } from "./decode.js";
import { corpus } from "./messages.js";
import { report } from "./report.js";

const USAGE = "usage: npm run fuzz -- [--inputs N] [--seed TEXT] [--store sqlite|mysql]";
const CORPUS_EACH = 600;

const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: randomBytes(3).toString("hex") },
    store: { type: "string", default: "sqlite" },
  },
});
const inputs = Number(values.inputs);
const { seed, store } = values;
if (!(Number.isInteger(inputs) && inputs >= 1) || (store !== "sqlite" && store !== "mysql")) {
  console.error(USAGE);
  process.exit(2);
}
process.exitCode = await run(store);

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
