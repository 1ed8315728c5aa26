import { PAGE_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { expect, test } from "vitest";
import { everyStore } from "./support/stores.js";
import { unique } from "./support/writer.js";

everyStore((fixture) => {
  test("a document is written, read, counted up and deleted", async () => {
    const { store } = fixture();
    const name = unique("doc'\"\\ 😀");
    const value = '{"it\'s":"\\"quoted\\" \\\\ \\u0000","n":[1,2]}';
    expect(await store.reads.state("default", name)).toBeUndefined();
    const first = await store.state.put("default", name, value, null);
    expect(first).toMatchObject({ kind: "written", version: 1 });
    expect(await store.reads.state("default", name)).toEqual({
      name,
      valueJson: value,
      version: 1,
      updatedAtUs: first.kind === "written" ? first.updatedAtUs : 0,
    });
    expect(await store.state.put("default", name, "2", null)).toMatchObject({ kind: "written", version: 2 });
    expect(await store.reads.state("other", name)).toBeUndefined();
    expect(await store.state.delete("default", name, null)).toEqual({ kind: "deleted" });
    expect(await store.state.delete("default", name, null)).toEqual({ kind: "missing" });
    expect(await store.state.put("default", name, "3", null)).toMatchObject({ kind: "written", version: 1 });
  });

  test("a version that is expected must be there", async () => {
    const { store } = fixture();
    const name = unique("doc");
    expect(await store.state.put("default", name, "1", 3)).toEqual({ kind: "mismatch", version: 0 });
    expect(await store.state.put("default", name, "1", 0)).toMatchObject({ kind: "written", version: 1 });
    expect(await store.state.put("default", name, "2", 0)).toEqual({ kind: "mismatch", version: 1 });
    expect(await store.state.put("default", name, "2", 1)).toMatchObject({ kind: "written", version: 2 });
    expect(await store.state.delete("default", name, 1)).toEqual({ kind: "mismatch", version: 2 });
    expect((await store.reads.state("default", name))?.valueJson).toBe("2");
    expect(await store.state.delete("default", name, 2)).toEqual({ kind: "deleted" });
  });

  test("of writes at the same moment that expect one version, one succeeds", async () => {
    const { store } = fixture();
    for (const expectedVersion of [0, 1, 2]) {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, index) => store.state.put("default", "raced", String(index), expectedVersion)),
      );
      expect(outcomes.filter(({ kind }) => kind === "written")).toHaveLength(1);
      const winner = outcomes.findIndex(({ kind }) => kind === "written");
      expect(await store.reads.state("default", "raced")).toMatchObject({
        valueJson: String(winner),
        version: expectedVersion + 1,
      });
    }
  });

  test("writes at the same moment that expect nothing are counted one by one", async () => {
    const { store } = fixture();
    const name = unique("doc");
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) => store.state.put("default", name, String(index), null)),
    );
    expect(outcomes.map(({ version }) => version).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("listed by name, by prefix, in pages", async () => {
    const { store } = fixture();
    const namespace = unique("n");
    const names = ["a", "a b", "a b c", "a/1", "a/2", "ab", "b", "ä", "語", "😀", "%", "_", "a%", "A"];
    for (const name of names) await store.state.put(namespace, name, "1", null);
    // In the order of characters, whatever the locale.
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const list = async (prefix: string, limit: number) => {
      const found: string[] = [];
      for (let after = ""; ; ) {
        const page = await store.reads.listStates(namespace, prefix, after, limit, false);
        found.push(...page.map(({ name }) => name));
        if (page.length < limit) return found;
        after = page.at(-1)?.name ?? "";
      }
    };
    for (const limit of [1, 3, 100]) {
      for (const prefix of ["", "a", "a ", "a/", "%", "_", "語", "zz"]) {
        expect(await list(prefix, limit)).toEqual(sorted.filter((name) => name.startsWith(prefix)));
      }
    }
  });

  test("values come only if asked for, and only so many bytes of them", async () => {
    const { store } = fixture();
    const namespace = unique("n");
    const value = JSON.stringify("語".repeat(200_000));
    for (let index = 0; index < 6; index++) await store.state.put(namespace, `doc-${index}`, value, null);
    expect((await store.reads.listStates(namespace, "", "", 10, false)).map(({ valueJson }) => valueJson)).toEqual(
      new Array(6).fill(""),
    );
    const page = await store.reads.listStates(namespace, "", "", 10, true);
    expect(page.length).toBe(Math.floor(PAGE_BYTES_MAX / Buffer.byteLength(value)));
    expect(page.every(({ valueJson }) => valueJson === value)).toBe(true);
  });
});
