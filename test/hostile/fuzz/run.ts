/** `npm run fuzz`: the long form of the fuzzing. */
import { randomBytes } from "node:crypto";
import { STORE_KINDS, type SystemUnderTest, startSystem } from "../../fault/harness/system.js";
import { CommandLine } from "../../support/command-line.js";
import { isSkipped } from "../../support/databases/index.js";
import { fuzz } from "./campaign.js";
import { fuzzDecoders } from "./decode.js";
import { fuzzKeys } from "./keys/key-campaign.js";
import { corpus } from "./messages.js";
import { endingsTable, report } from "./report.js";

/** Of the inputs, how many the methods of keys get, on a server of their own that asks for keys. */
const KEY_INPUTS_SHARE = 0.05;
const CORPUS_EACH = 600;

const options = new CommandLine(
  "fuzz",
  "Sends damaged and odd messages to a real server, and judges how each call ends.",
  {
    inputs: { type: "string", default: "100000", value: "N", says: "how many" },
    seed: { type: "string", value: "TEXT", says: "the same seed, the same inputs (default: another one each time)" },
    store: { type: "string", default: "sqlite", value: STORE_KINDS.join("|"), says: "of the server" },
    only: { type: "string", value: "keys", says: "only the methods that make, rotate and revoke keys" },
  },
);
const inputs = options.whole("inputs");
const kind = options.oneOf("store", STORE_KINDS);
const only = options.oneOf("only", ["keys"]);
const seed = options.values.seed ?? randomBytes(3).toString("hex");
const failures = only === "keys" ? 0 : await fuzzMethods();
const keyInputs = only === "keys" ? inputs : Math.ceil(inputs * KEY_INPUTS_SHARE);
process.exitCode = failures + (await fuzzMethodsOfKeys(keyInputs));

async function onSystem(work: (system: SystemUnderTest) => Promise<number>): Promise<number> {
  const system = await startSystem(kind);
  if (isSkipped(system)) {
    console.error(`fuzz: ${system.skipped}`);
    return 1;
  }
  try {
    return await work(system);
  } finally {
    await system.stop();
  }
}

async function fuzzMethods(): Promise<number> {
  console.log(`seed ${seed}: ${inputs} inputs, on ${kind}`);
  const decodeMs = performance.now();
  const { decoded } = fuzzDecoders(corpus(1, CORPUS_EACH), seed, inputs);
  const seconds = (performance.now() - decodeMs) / 1_000;
  console.log(`decoders alone: ${inputs} inputs in ${seconds.toFixed(0)} s, ${decoded} decoded, the others refused`);
  return onSystem(async ({ server, engine }) => {
    const startedMs = performance.now();
    const result = await fuzz({
      server,
      seed,
      inputs,
      corpusEach: CORPUS_EACH,
      onProgress: (sent) => {
        const rate = sent / ((performance.now() - startedMs) / 1_000);
        process.stdout.write(`\r${sent} of ${inputs}, ${rate.toFixed(0)} a second   `);
      },
    });
    console.log(`\n\n${report(result, engine, (performance.now() - startedMs) / 1_000)}`);
    return result.violations.length === 0 ? 0 : 1;
  });
}

async function fuzzMethodsOfKeys(count: number): Promise<number> {
  console.log(`methods of keys, seed ${seed}: ${count} inputs, on ${kind}`);
  return onSystem(async ({ server, storeUrl, engine }) => {
    const startedMs = performance.now();
    const result = await fuzzKeys({ server, store: storeUrl, seed, inputs: count, corpusEach: CORPUS_EACH });
    const seconds = (performance.now() - startedMs) / 1_000;
    console.log(`${result.sent} inputs on ${engine} in ${seconds.toFixed(0)} s\n\n${endingsTable(result.endings)}\n`);
    console.log(`keys made: ${result.made}, live at most: ${result.liveMax}; restarts: ${result.restarts}`);
    console.log(
      [`violations: ${result.violations.length}`, ...result.violations.map((each) => `- ${each}`)].join("\n"),
    );
    return result.violations.length === 0 && result.restarts === 0 ? 0 : 1;
  });
}
