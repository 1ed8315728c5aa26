// API keys in the database: made once, rotated and revoked by their namespace alone, and counted so that others notice.
import type { KeyRow } from "@tailkeep/server/dist/store/api-keys.js";
import { describe, expect, test } from "vitest";
import { everyStore } from "./support/stores.js";

const row = (keyId: string, change: Partial<KeyRow> = {}): KeyRow => ({
  keyId,
  namespace: "team-a",
  name: `for "Ü" 😀`,
  roles: "write,read",
  secretHash: "ab".repeat(32),
  previousHash: null,
  previousUntilUs: null,
  createdAtUs: 1_000_000,
  expiresAtUs: null,
  revokedAtUs: null,
  streamsMax: null,
  recordsPerSecondMax: 5,
  bytesPerSecondMax: Number.MAX_SAFE_INTEGER,
  ...change,
});

everyStore((fixture) => {
  describe("keys", () => {
    test("come back as they were made, live ones among those of every namespace", async () => {
      const { store } = fixture();
      expect(await store.reads.keysVersion()).toEqual({ keys: 0, changes: 0 });
      const rows = [
        row("k1"),
        row("k2", { namespace: "team-b", expiresAtUs: 2_000_000 }),
        row("k3", { revokedAtUs: 1_500_000 }),
        row("k4"),
      ];
      for (const each of rows) await store.keys.insert(each);
      expect(await store.reads.keysVersion()).toEqual({ keys: 4, changes: 4 });
      expect((await store.reads.liveKeys(1_999_999, 10)).map(({ keyId }) => keyId)).toEqual(["k1", "k2", "k4"]);
      expect((await store.reads.liveKeys(2_000_000, 10)).map(({ keyId }) => keyId)).toEqual(["k1", "k4"]);
      expect(await store.reads.liveKeys(0, 1)).toEqual([rows[0]]);
      expect(await store.reads.listKeys("team-a", "", 2)).toEqual([rows[0], rows[2]]);
      expect(await store.reads.listKeys("team-a", "k3", 2)).toEqual([rows[3]]);
      expect(await store.reads.key("team-b", "k2")).toEqual(rows[1]);
      expect(await store.reads.key("team-a", "k2")).toBeUndefined();
      await expect(store.keys.insert(row("k1"))).rejects.toThrow();
    });

    test("are rotated by their namespace, while they live; each change is counted", async () => {
      const { store } = fixture();
      await store.keys.insert(row("r1", { secretHash: "first" }));
      await store.keys.insert(row("r2", { expiresAtUs: 5_000 }));
      const { changes } = await store.reads.keysVersion();
      const rotation = { secretHash: "second", previousUntilUs: 9_000, nowUs: 6_000 };
      expect(await store.keys.rotate("team-b", "r1", rotation)).toBe(false);
      expect(await store.keys.rotate("team-a", "r2", rotation)).toBe(false);
      expect(await store.keys.rotate("team-a", "none", rotation)).toBe(false);
      expect(await store.keys.rotate("team-a", "r1", rotation)).toBe(true);
      expect(await store.reads.key("team-a", "r1")).toMatchObject({
        secretHash: "second",
        previousHash: "first",
        previousUntilUs: 9_000,
      });
      await store.keys.rotate("team-a", "r1", { secretHash: "third", previousUntilUs: null, nowUs: 6_000 });
      expect(await store.reads.key("team-a", "r1")).toMatchObject({
        secretHash: "third",
        previousHash: null,
        previousUntilUs: null,
      });
      expect((await store.reads.keysVersion()).changes).toBe(changes + 2);
    });

    test("are revoked by their namespace, once and for all", async () => {
      const { store } = fixture();
      await store.keys.insert(row("v1"));
      const { changes } = await store.reads.keysVersion();
      expect(await store.keys.revoke("team-b", "v1", 7_000)).toBe(false);
      expect(await store.keys.revoke("team-a", "v1", 7_000)).toBe(true);
      expect(await store.keys.revoke("team-a", "v1", 8_000)).toBe(true);
      expect(await store.reads.key("team-a", "v1")).toMatchObject({ revokedAtUs: 7_000 });
      const rotation = { secretHash: "x", previousUntilUs: null, nowUs: 9_000 };
      expect(await store.keys.rotate("team-a", "v1", rotation)).toBe(false);
      expect((await store.reads.keysVersion()).changes).toBe(changes + 2);
    });
  });
});
