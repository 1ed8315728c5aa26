/** Inputs by the thousand against a real server, with a neighbour beside them who must not notice. */
import { status } from "@grpc/grpc-js";
import { SeededRandom } from "../../fault/harness/random.js";
import { Stubs } from "../../support/grpc/stubs.js";
import type { TailkeepServer } from "../../support/tailkeep-server.js";
import { newestLogProblems } from "../log-lines.js";
import { Neighbour } from "../neighbour.js";
import { residentBytes } from "../resident.js";
import { EndingCounts, type Endings } from "./endings.js";
import { Faithful } from "./faithful.js";
import { corpus, type Input } from "./messages.js";
import { METHODS } from "./methods.js";
import { mutated } from "./mutate.js";
import { Sender } from "./sender.js";
import { wrongEnding } from "./verdict.js";

export interface FuzzOptions {
  readonly server: TailkeepServer;
  readonly seed: string;
  readonly inputs: number;
  /** Well-formed messages of each method to begin from. */
  readonly corpusEach: number;
  onProgress?(sent: number): void;
}

export interface FuzzResult {
  readonly sent: number;
  /** By method. */
  readonly endings: Endings;
  readonly residentBytes: { readonly start: number; readonly peak: number; readonly end: number };
  readonly restarts: number;
  readonly neighbourAcked: number;
  readonly faithfulWritten: number;
  /** Everything that should not have been; empty is good. */
  readonly violations: readonly string[];
}

/** Fewer calls on each than the server takes: streams that are over are counted by Node for a moment longer. */
const CONNECTIONS = 6;
const IN_FLIGHT = 96;
const VIOLATIONS_MAX = 20;
const FAITHFUL_SHARE = 0.004;
const UNDAMAGED_SHARE = 0.15;
/** A watch that is ended is a reset, of which a connection may make some a second. */
const WATCH_SHARE = 0.003;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { server, seed } = options;
  const random = new SeededRandom(`fuzz ${seed}`);
  const numeric = random.whole(0, 2 ** 31 - 1);
  const all = corpus(numeric, options.corpusEach);
  const watches = all.filter(({ method }) => method.responseStream && !method.requestStream);
  const others = all.filter(({ method }) => !method.responseStream || method.requestStream);
  const writeRecords = METHODS.find(({ name }) => name === "WriteRecords") as Input["method"];
  const faithful = new Faithful(numeric);
  const pid = server.pid as number;
  const sender = new Sender(server.grpcAddress, CONNECTIONS);
  const stubs = new Stubs(server.grpcAddress);
  const neighbour = await Neighbour.start(server.grpcAddress);
  const endings = new EndingCounts();
  const violations = new Set<string>();
  const start = residentBytes(pid);
  let peak = start;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
    for (const problem of newestLogProblems(server.output)) violations.add(problem);
    options.onProgress?.(sent);
  }, 1_000);
  let sent = 0;

  const one = async () => {
    if (random.chance(FAITHFUL_SHARE)) {
      const ending = await sender.send(writeRecords, [faithful.next()]);
      if (ending.code !== status.OK)
        violations.add(`a good batch was refused: ${status[ending.code]} ${ending.details}`);
      return;
    }
    const input = random.pick(random.chance(WATCH_SHARE) ? watches : others);
    const messages = random.chance(UNDAMAGED_SHARE) ? input.messages : damaged(input, random, all);
    const ending = await sender.send(input.method, messages);
    const { name } = input.method;
    endings.add(name, ending.code);
    const wrong = wrongEnding(name, ending);
    if (wrong !== undefined) {
      violations.add(`${wrong}\n  sent ${messages.map((bytes) => bytes.toString("hex").slice(0, 2_000)).join(" | ")}`);
    }
  };
  const worker = async () => {
    while (sent < options.inputs && violations.size < VIOLATIONS_MAX) {
      sent++;
      await one();
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    for (const problem of await neighbour.end(stubs)) violations.add(problem);
    for (const difference of await faithful.differences(stubs)) violations.add(difference);
    const end = server.pid === undefined ? 0 : residentBytes(pid);
    return {
      sent,
      endings: endings.rows,
      residentBytes: { start, peak: Math.max(peak, end), end },
      restarts: server.pid === pid ? 0 : 1,
      neighbourAcked: neighbour.acked,
      faithfulWritten: faithful.written,
      violations: [...violations],
    };
  } finally {
    clearInterval(sampler);
    sender.close();
    stubs.close();
    neighbour.close();
  }
}

/** One of its messages damaged; the others, which lead to it, are sound. */
function damaged({ messages }: Input, random: SeededRandom, all: readonly Input[]): Buffer[] {
  const at = random.whole(0, messages.length - 1);
  return messages.map((bytes, index) =>
    index === at ? mutated(bytes, random, random.pick(random.pick(all).messages)) : bytes,
  );
}
