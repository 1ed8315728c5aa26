// Secrets of keys: their form, and that only good ones are taken apart.
import {
  hashOf,
  newKeyId,
  newSecret,
  parseToken,
  sameHash,
  withoutTokens,
} from "@tailkeep/server/dist/access/secret.js";
import { expect, test } from "vitest";

test("a token is taken apart into the id it was made for and the secret whose hash is kept", () => {
  for (let n = 0; n < 1_000; n++) {
    const id = newKeyId();
    const { token, hash } = newSecret(id);
    const parts = parseToken(token);
    expect(parts?.keyId).toBe(id);
    expect(Buffer.from(parts?.secret ?? "", "base64url")).toHaveLength(32);
    expect(hashOf(parts?.secret ?? "").toString("hex")).toBe(hash);
    expect(token).not.toContain(hash);
  }
});

test("no two are the same, and every letter of an id comes up", () => {
  const ids = Array.from({ length: 2_000 }, newKeyId);
  expect(new Set(ids).size).toBe(ids.length);
  const counts = new Map<string, number>();
  for (const letter of ids.join("")) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  expect(counts.size).toBe(31);
  const [least, most] = [Math.min(...counts.values()), Math.max(...counts.values())];
  expect(most / least).toBeLessThan(1.6);
});

test.each([
  "",
  "tk_",
  "tk__",
  "tk_abc_def",
  `tk_${"a".repeat(12)}_${"b".repeat(42)}`,
  `tk_${"a".repeat(12)}_${"b".repeat(44)}`,
  `tk_${"A".repeat(12)}_${"b".repeat(43)}`,
  `x${"a".repeat(12)}_${"b".repeat(43)}`,
  `tk_${"a".repeat(12)}_${"b".repeat(42)}=`,
])("%j is no token", (token) => {
  expect(parseToken(token)).toBeUndefined();
});

test("hashes are compared whole", () => {
  const hash = hashOf("secret");
  expect(sameHash(hash, hashOf("secret"))).toBe(true);
  expect(sameHash(hash, hashOf("secreT"))).toBe(false);
  expect(sameHash(hash, hash.subarray(0, 31))).toBe(false);
});

test("text for a log keeps the ids of keys alone", () => {
  const { token } = newSecret("abcdefghjkmn");
  const traced = withoutTokens(
    `{"authorization":["Bearer ${token}"],"x":"Basic dXNlcjpwYXNz"} and ${token}x, bearer opaque`,
  );
  expect(traced).toBe(
    '{"authorization":["Bearer tk_abcdefghjkmn_***"],"x":"Basic ***"} and tk_abcdefghjkmn_***, bearer ***',
  );
});
