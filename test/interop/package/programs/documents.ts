import assert from "node:assert/strict";
import { connect, StateHandle, StateStore } from "@tailkeep/client";

export async function documents(): Promise<void> {
  await using client = connect();
  const name = `packed-${process.versions.node}`;
  const first = await client.state.put(name, { games: 1 });
  assert.equal(first.version, 1);
  assert.deepEqual((await client.state.get(name))?.value, { games: 1 });
  await client.state.put(name, { games: 2 }, { expectedVersion: 1 });
  assert.equal((await client.state.list({ prefix: name }).firstPage()).items.length, 1);
  assert.equal(await client.state.delete(name), true);

  await using store = new StateStore({ client, prefix: `${name}/` });
  const counters = store.globalCounters;
  assert.ok(counters instanceof StateHandle);
  await Promise.all([counters.increment("episodes", 2), counters.increment("episodes", 3)]);
  assert.deepEqual(await counters.get(), { episodes: 5 });
  const { storedIn } = await store.put("learned", { epsilon: 0.1 });
  assert.equal(storedIn, "database");
  assert.deepEqual(
    (await store.list()).map((entry) => entry.name),
    ["global_counters", "learned"],
  );
}
