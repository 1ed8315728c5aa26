// What the compiler must say. These run as soon as they compile.
import { expectTypeOf, test } from "vitest";
import { BoundedDict, BoundedList, BoundedRing } from "../../../client/src/containers/index.js";

interface Score {
  readonly score: number;
}

test("a list is assignable to an array, and its methods have an array's types", () => {
  const list = new BoundedList<Score>(10);
  expectTypeOf(list).toExtend<Score[]>();
  expectTypeOf(list).toExtend<readonly Score[]>();
  expectTypeOf<Score[]>().not.toExtend<BoundedList<Score>>();
  expectTypeOf(list[0]).toEqualTypeOf<Score | undefined>();
  expectTypeOf(list.map((each) => each.score)).toEqualTypeOf<number[]>();
  expectTypeOf(list.filter((each): each is Score & { best: true } => "best" in each)).toEqualTypeOf<
    (Score & { best: true })[]
  >();
  expectTypeOf(list.sort()).toEqualTypeOf<BoundedList<Score>>();
  expectTypeOf(list.getRecent(3)).toEqualTypeOf<Score[]>();
  expectTypeOf(list.byteLength).toEqualTypeOf<number | undefined>();
  const [first, ...others] = list;
  expectTypeOf(first).toEqualTypeOf<Score | undefined>();
  expectTypeOf(others).toEqualTypeOf<Score[]>();
  // @ts-expect-error what is no item
  const wrong = () => list.append(1);
  expectTypeOf(wrong).toBeFunction();
});

test("a dictionary is assignable to a Map, and its view to a record", () => {
  const dict = new BoundedDict<string, Score>(10);
  expectTypeOf(dict).toExtend<Map<string, Score>>();
  expectTypeOf(dict).toExtend<ReadonlyMap<string, Score>>();
  expectTypeOf(dict.get("a")).toEqualTypeOf<Score | undefined>();
  expectTypeOf(dict.get("a", { score: 0 })).toEqualTypeOf<Score>();
  expectTypeOf(dict.set("a", { score: 1 })).toEqualTypeOf<BoundedDict<string, Score>>();
  expectTypeOf(dict.asObject()).toEqualTypeOf<Record<string, Score>>();
  // @ts-expect-error what is no value
  const wrong = () => dict.set("a", 1);
  expectTypeOf(wrong).toBeFunction();
});

test("a ring is iterable", () => {
  const ring = new BoundedRing<number>(10);
  expectTypeOf(ring).toExtend<Iterable<number>>();
  expectTypeOf(ring.at(-1)).toEqualTypeOf<number | undefined>();
});
