/** Requests of the key methods by the thousand, against a server that asks for keys. */
import { ChannelCredentials, Client, Metadata, type ServiceError, type StatusObject, status } from "@grpc/grpc-js";
import { KEYS_LIVE_MAX } from "@tailkeep/server/dist/limits.js";
import { SeededRandom } from "../../../fault/harness/random.js";
import type { TailkeepServer } from "../../../support/tailkeep-server.js";
import { newestLogProblems } from "../../log-lines.js";
import { EndingCounts, type Endings } from "../endings.js";
import { corpus } from "../messages.js";
import { KEY_METHODS, type Method } from "../methods.js";
import { nextRequest } from "./key-requests.js";
import { KeyRing } from "./key-ring.js";
import { type Caller, wrongAnswer, wrongKeyEnding } from "./key-verdict.js";

export interface KeyFuzzOptions {
  readonly server: TailkeepServer;
  /** As TAILKEEP_STORE. */
  readonly store: string;
  readonly seed: string;
  readonly inputs: number;
  readonly corpusEach: number;
}

export interface KeyFuzzResult {
  readonly sent: number;
  /** By method and caller. */
  readonly endings: Endings;
  readonly made: number;
  readonly liveMax: number;
  readonly restarts: number;
  /** Everything that should not have been; empty is good. */
  readonly violations: readonly string[];
}

const IN_FLIGHT = 16;
const CALL_MS_MAX = 60_000;
const VIOLATIONS_MAX = 20;
/** From here on the oldest is revoked for each that is made: far from the limit of keys. */
const LIVE_KEPT = 100;
const ADMIN_SHARE = 0.7;
const OTHERS: readonly Caller[] = ["write", "read", "nobody", "liar"];

export async function fuzzKeys({ server, store, seed, inputs, corpusEach }: KeyFuzzOptions): Promise<KeyFuzzResult> {
  const random = new SeededRandom(`keys ${seed}`);
  const drawn = corpus(random.whole(0, 2 ** 31 - 1), corpusEach, KEY_METHODS);
  const { pid } = server;
  const ring = await KeyRing.make(store, server.grpcAddress);
  const client = new Client(server.grpcAddress, ChannelCredentials.createInsecure(), { "grpc.enable_retries": 0 });
  const endings = new EndingCounts();
  const violations = new Set<string>();
  let [sent, liveMax] = [0, 0];

  const one = async () => {
    const caller = random.chance(ADMIN_SHARE) ? "admin" : random.pick(OTHERS);
    const { method, bytes, isSound } = nextRequest(ring, caller, drawn, random);
    const { ending, answer } = await call(client, method, bytes, credentialOf(ring, caller));
    endings.add(`${method.name} ${caller === "admin" ? "by an admin" : "by others"}`, ending.code);
    const wrong =
      wrongKeyEnding(ring, caller, method.name, ending) ??
      (answer === undefined ? undefined : wrongAnswer(ring, method.name, bytes, answer)) ??
      (isSound && caller === "admin" && ending.code === status.INVALID_ARGUMENT ? ending.details : undefined);
    if (wrong !== undefined) violations.add(`${wrong}\n  sent ${bytes.toString("hex").slice(0, 2_000)}`);
    liveMax = Math.max(liveMax, ring.live.size);
    if (ring.live.size > LIVE_KEPT) await revokeOldest(client, ring);
  };
  const worker = async () => {
    while (sent < inputs && violations.size < VIOLATIONS_MAX && !server.hasEnded) {
      sent++;
      await one();
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    if (liveMax > KEYS_LIVE_MAX) violations.add(`there were ${liveMax} live keys`);
    for (const problem of await ring.problems(server.grpcAddress)) violations.add(problem);
    for (const problem of newestLogProblems(server.output)) violations.add(problem);
    const logged = ring.secretIn(server.output);
    if (logged !== undefined) violations.add(`the secret of ${logged} is in the log`);
    const restarts = server.pid === pid && !server.hasEnded ? 0 : 1;
    return { sent, endings: endings.rows, made: ring.made, liveMax, restarts, violations: [...violations] };
  } finally {
    client.close();
  }
}

function credentialOf(ring: KeyRing, caller: Caller): string | undefined {
  if (caller === "nobody") return undefined;
  const { admin } = ring.held;
  // The id of an admin's key with another key's secret.
  if (caller === "liar") return `tk_${admin.keyId}_${ring.held.read.secret.slice(-43)}`;
  return ring.held[caller].secret;
}

async function revokeOldest(client: Client, ring: KeyRing): Promise<void> {
  const [keyId] = ring.live.keys();
  const method = KEY_METHODS.find(({ name }) => name === "RevokeKey") as Method;
  const id = Buffer.from(keyId as string);
  const bytes = Buffer.concat([Buffer.from([0x0a, id.length]), id]);
  const { ending } = await call(client, method, bytes, ring.held.admin.secret);
  if (ending.code !== status.OK) throw new Error(`a key of the campaign was not revoked: ${ending.details}`);
  ring.revoked(keyId as string);
}

function call(
  client: Client,
  { path }: Method,
  bytes: Buffer,
  secret: string | undefined,
): Promise<{ ending: StatusObject; answer?: Buffer }> {
  const metadata = new Metadata();
  if (secret !== undefined) metadata.set("authorization", `Bearer ${secret}`);
  const asItIs = (message: Buffer) => message;
  const options = { deadline: Date.now() + CALL_MS_MAX };
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, answer?: Buffer) => {
      if (error !== null) return resolve({ ending: error });
      const ending = { code: status.OK, details: "", metadata: new Metadata() };
      resolve(answer === undefined ? { ending } : { ending, answer });
    };
    client.makeUnaryRequest(path, asItIs, asItIs, bytes, metadata, options, done);
  });
}
