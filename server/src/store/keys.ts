/**
 * The 63-bit key of a stream: what its rows carry instead of three texts.
 *
 * Any node computes the same key from the same identity. Two identities with one key are told apart at open: `streams`
 * holds the identity beside the key, and the loser moves on to the next number.
 */
import { createHash } from "node:crypto";
import type { StreamIdentity } from "./model.js";

const KEY_MASK = (1n << 63n) - 1n;

/** The first key to try. */
export function streamKey(identity: StreamIdentity): bigint {
  const hash = createHash("sha256");
  // Ids have no control characters, so the separator cannot be part of one.
  hash.update(`${identity.namespace}\u0000${identity.sessionId}\u0000${identity.streamId}`);
  return hash.digest().readBigUInt64BE(0) & KEY_MASK;
}

/** The key to try after a collision. */
export function nextKey(key: bigint): bigint {
  return (key + 1n) & KEY_MASK;
}
