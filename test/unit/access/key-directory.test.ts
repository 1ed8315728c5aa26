// What a server knows of the keys of its database, by its clock.
import { KeyDirectory } from "@tailkeep/server/dist/access/key-directory.js";
import { newKeyId, newSecret } from "@tailkeep/server/dist/access/secret.js";
import type { KeyRow } from "@tailkeep/server/dist/store/api-keys.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { expect, test } from "vitest";
import { FakeClock } from "../../support/fake-clock.js";

const HOUR_MS = 3_600_000;

class SetClock extends FakeClock {
  aheadMs = 0;
  override nowUs(): number {
    return super.nowUs() + this.aheadMs * 1_000;
  }
}

test("a key that expired by a clock that was ahead is known again when the clock is right", async () => {
  const clock = new SetClock();
  const keyId = newKeyId();
  const { token, hash } = newSecret(keyId);
  const row: KeyRow = {
    keyId,
    namespace: "default",
    name: "",
    roles: "read",
    secretHash: hash,
    previousHash: null,
    previousUntilUs: null,
    createdAtUs: clock.nowUs(),
    expiresAtUs: clock.nowUs() + HOUR_MS * 1_000,
    revokedAtUs: null,
    streamsMax: null,
    recordsPerSecondMax: null,
    bytesPerSecondMax: null,
  };
  const store = {
    reads: {
      keysVersion: () => Promise.resolve({ keys: 1, changes: 1 }),
      liveKeys: (nowUs: number) => Promise.resolve([row].filter(({ expiresAtUs }) => (expiresAtUs ?? 0) > nowUs)),
    },
  } as unknown as Store;
  const keys = new KeyDirectory(store, clock, false);
  const stop = new AbortController();
  void keys.keep(stop.signal, () => true);
  const isKnown = () => {
    try {
      return keys.identify([`Bearer ${token}`]).namespace === "default";
    } catch {
      return false;
    }
  };
  await clock.advance(2_000);
  expect(isKnown()).toBe(true);
  clock.aheadMs = 2 * HOUR_MS;
  await clock.advance(2_000);
  expect(isKnown()).toBe(false);
  clock.aheadMs = 0;
  await clock.advance(2_000);
  expect(isKnown()).toBe(true);
  await clock.advance(HOUR_MS);
  expect(isKnown()).toBe(false);
  stop.abort();
});
