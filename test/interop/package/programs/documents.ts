import assert from "node:assert/strict";
import { connect } from "@tailkeep/client";

export async function documents(): Promise<void> {
  await using client = connect();
  const name = `packed-${process.versions.node}`;
  const first = await client.state.put(name, { games: 1 });
  assert.equal(first.version, 1);
  assert.deepEqual((await client.state.get(name))?.value, { games: 1 });
  await client.state.put(name, { games: 2 }, { expectedVersion: 1 });
  assert.equal((await client.state.list({ prefix: name }).firstPage()).items.length, 1);
  assert.equal(await client.state.delete(name), true);
}
