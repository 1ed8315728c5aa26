/**
 * Secrets of API keys. A hash that is fast to compute protects them as well as a slow one would: slowness makes guessing
 * dear, and 256 random bits are not guessed at any speed.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export const SECRET_BYTES = 32;

/** 60 bits, enough that no two keys of a database are likely to have the same. */
const ID_CHARS = 12;
/** Letters that are not taken for one another, and no underscore: that is what ends the id. */
const ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";

const ID_FORM = `[a-z2-9]{${ID_CHARS}}`;
const KEY_ID = new RegExp(`^${ID_FORM}$`);
const TOKEN = new RegExp(`^tk_(${ID_FORM})_([A-Za-z0-9_-]{43})$`);

export interface NewSecret {
  /** What the caller keeps: `tk_<id>_<secret>`. */
  readonly token: string;
  /** What the database keeps. */
  readonly hash: string;
}

export function newKeyId(): string {
  let id = "";
  while (id.length < ID_CHARS) {
    for (const byte of randomBytes(ID_CHARS)) {
      // Those beyond a multiple of the alphabet would come up more often than others.
      if (byte < 248 && id.length < ID_CHARS) id += ID_ALPHABET[byte % ID_ALPHABET.length];
    }
  }
  return id;
}

export function newSecret(keyId: string): NewSecret {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { token: `tk_${keyId}_${secret}`, hash: hashOf(secret).toString("hex") };
}

/** The parts of a token; undefined for anything else. */
export function parseToken(token: string): { keyId: string; secret: string } | undefined {
  const parts = TOKEN.exec(token);
  return parts === null ? undefined : { keyId: parts[1] as string, secret: parts[2] as string };
}

/** Whether a text has the form of an id, and so is no secret that somebody gave by mistake. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** Text for a log, such as headers that a library traces, without the keys in it; the ids of keys stay. */
export function withoutTokens(text: string): string {
  return text
    .replace(/\b(tk_[^_\s"']{1,64})_[^\s"',]+/g, "$1_***")
    .replace(/\b(Bearer|Basic)\s+(?!tk_)[^\s"',]+/gi, "$1 ***");
}

export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** In a time that does not depend on where they differ. */
export function sameHash(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
