// Who runs, who waits for whom, and who is turned away.
import { Turns } from "@tailkeep/server/dist/series/turns.js";
import { expect, test } from "vitest";

/** Work that ends when it is told to. */
class Works {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  of(id: string): () => Promise<string> {
    return async () => {
      this.begun.push(id);
      await new Promise<void>((resolve) => this.#ends.set(id, resolve));
      return id;
    };
  }
  end(id: string): void {
    this.#ends.get(id)?.();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("so many run at a time, and those who wait take turns by name", async () => {
  const turns = new Turns(2, 10);
  const works = new Works();
  const ids = ["a1", "a2", "a3", "a4", "b1", "b2"];
  const runs = ids.map((id) => turns.run(id.slice(0, 1), works.of(id)));
  await settled();
  expect(works.begun).toEqual(["a1", "a2"]);
  for (const [at, id] of ["a3", "b1", "a4", "b2"].entries()) {
    works.end(works.begun[at] as string);
    await settled();
    expect(works.begun.slice(2).at(-1)).toBe(id);
  }
  for (const id of ids) works.end(id);
  expect(await Promise.all(runs)).toEqual(ids);
  // All places are free again.
  const again = ["c1", "c2"].map((id) => turns.run("c", works.of(id)));
  await settled();
  for (const id of ["c1", "c2"]) works.end(id);
  expect(await Promise.all(again)).toEqual(["c1", "c2"]);
});

test("whoever has too many waiting is turned away, and nobody else", async () => {
  const turns = new Turns(1, 2);
  const works = new Works();
  const runs = ["a1", "a2", "a3"].map((id) => turns.run("a", works.of(id)));
  await expect(turns.run("a", works.of("a4"))).rejects.toMatchObject({ code: "OVERLOADED" });
  runs.push(turns.run("b", works.of("b1")));
  for (let ended = 0; ended < 4; ended++) {
    await settled();
    works.end(works.begun[ended] as string);
  }
  expect(await Promise.all(runs)).toEqual(["a1", "a2", "a3", "b1"]);
});

test("work that fails gives its place to the next", async () => {
  const turns = new Turns(1, 2);
  const failing = turns.run("a", () => Promise.reject(new Error("of its own")));
  const next = turns.run("a", () => Promise.resolve("next"));
  await expect(failing).rejects.toThrow("of its own");
  expect(await next).toBe("next");
});
