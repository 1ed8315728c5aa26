/** Requests of the key methods: those of the corpus, sound ones, and those that name keys which exist. */
import { CreateKeyRequest, KeyRole, RevokeKeyRequest, RotateKeyRequest } from "@tailkeep/proto";
import type { SeededRandom } from "../../../fault/harness/random.js";
import type { Input } from "../messages.js";
import type { Method } from "../methods.js";
import { mutated } from "../mutate.js";
import { type KeyRing, ROLES } from "./key-ring.js";
import type { Caller } from "./key-verdict.js";

export interface KeyRequest {
  readonly method: Method;
  readonly bytes: Buffer;
  /** The server must take it from an admin. */
  readonly isSound: boolean;
}

const FROM_CORPUS_SHARE = 0.4;
const UNDAMAGED_SHARE = 0.4;
const ALMOST_SOUND_SHARE = 0.3;
const NO_LIMITS = { streamsMax: undefined, recordsPerSecondMax: undefined, bytesPerSecondMax: undefined };
const YEAR_US = 31_536_000_000_000n;

export function nextRequest(ring: KeyRing, caller: Caller, inputs: readonly Input[], random: SeededRandom): KeyRequest {
  const { method, messages } = random.pick(inputs);
  const drawn = messages[0] as Buffer;
  const other = random.pick(inputs).messages[0] as Buffer;
  if (random.chance(FROM_CORPUS_SHARE) || method.name === "ListKeys") {
    return { method, bytes: random.chance(UNDAMAGED_SHARE) ? drawn : mutated(drawn, random, other), isSound: false };
  }
  if (method.name === "CreateKey" && random.chance(ALMOST_SOUND_SHARE)) {
    return { method, bytes: Buffer.from(almostSound(random)), isSound: false };
  }
  const bytes = Buffer.from(written(ring, caller, method.name, random));
  if (!random.chance(UNDAMAGED_SHARE)) return { method, bytes: mutated(bytes, random, other), isSound: false };
  return { method, bytes, isSound: method.name === "CreateKey" };
}

/** Sound but for one field, which chance alone hardly ever makes. */
function almostSound(random: SeededRandom): Uint8Array {
  const sound = CreateKeyRequest.create({ roles: [KeyRole.READ] });
  const wrong: readonly Partial<CreateKeyRequest>[] = [
    { roles: [] },
    { roles: [KeyRole.READ, KeyRole.UNSPECIFIED] },
    { roles: [4 as KeyRole] },
    { name: "x".repeat(129) },
    { expiresAtUs: 1n },
    ...[0, 12_001].map((streamsMax) => ({ limits: { ...NO_LIMITS, streamsMax } })),
    { limits: { ...NO_LIMITS, recordsPerSecondMax: 0n } },
    { limits: { ...NO_LIMITS, bytesPerSecondMax: -1n } },
  ];
  return CreateKeyRequest.encode({ ...sound, ...random.pick(wrong) }).finish();
}

function written(ring: KeyRing, caller: Caller, method: string, random: SeededRandom): Uint8Array {
  if (method === "CreateKey") {
    const roles = Array.from({ length: random.whole(1, 4) }, () => random.pick(ROLES));
    const expiresAtUs = random.chance(0.5) ? undefined : BigInt(Date.now()) * 1_000n + YEAR_US;
    const limits = { streamsMax: random.whole(1, 12_000), recordsPerSecondMax: 1n, bytesPerSecondMax: undefined };
    return CreateKeyRequest.encode({ name: "of the campaign", roles, expiresAtUs, limits }).finish();
  }
  const keyId = named(ring, caller, random);
  if (method === "RevokeKey") return RevokeKeyRequest.encode({ keyId }).finish();
  const graceSeconds = random.pick([undefined, 0, -1, 60, 2_592_000, 2_592_001]);
  return RotateKeyRequest.encode({ keyId, graceSeconds }).finish();
}

/** Mostly the campaign's; else one that the caller may not touch, or what is pasted by mistake: the secret. */
function named(ring: KeyRing, caller: Caller, random: SeededRandom): string {
  const { admin, neighbour } = ring.held;
  const [anyone] = ring.live.keys();
  if (anyone !== undefined && random.chance(0.6)) return random.pick([...ring.live.keys()]);
  if (random.chance(0.3)) return random.pick([admin, neighbour]).secret;
  if (random.chance(0.3)) return neighbour.keyId.toUpperCase();
  return caller === "admin" ? neighbour.keyId : random.pick([admin, neighbour]).keyId;
}
