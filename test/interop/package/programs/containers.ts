import assert from "node:assert/strict";
import { BoundedDict, BoundedList, BoundedRing, estimateBytes } from "@tailkeep/client";

export async function containers(): Promise<void> {
  const list = new BoundedList<number>({ capacity: 5 });
  for (let n = 0; n < 10; n++) list.append(n);
  assert.deepEqual([...list], [5, 6, 7, 8, 9]);
  assert.ok(Array.isArray(list));
  assert.equal(list.at(-1), 9);
  assert.deepEqual(list.getRecent(2), [8, 9]);
  assert.equal(JSON.stringify(list), "[5,6,7,8,9]");
  list.resize(2);
  assert.deepEqual(list.toList(), [8, 9]);

  const dict = new BoundedDict<string, number>({ capacity: 3 });
  for (let n = 0; n < 5; n++) dict.set(`key_${n}`, n);
  assert.deepEqual([...dict.keys()], ["key_2", "key_3", "key_4"]);
  assert.equal(dict.get("key_2"), 2);
  dict.set("key_5", 5);
  assert.equal(dict.has("key_3"), false);
  assert.equal(dict.asObject()["key_5"], 5);
  assert.ok(dict instanceof Map);

  const ring = new BoundedRing<string>(2);
  for (const item of ["a", "b", "c"]) ring.push(item);
  assert.deepEqual(ring.toArray(), ["b", "c"]);

  const texts = new BoundedList<string>({ capacity: 100, bytesMax: 10 * estimateBytes("0123456789") });
  for (let n = 0; n < 100; n++) texts.append("0123456789");
  assert.equal(texts.length, 10);
}
