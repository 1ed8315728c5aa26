import assert from "node:assert/strict";
import {
  DatabaseBoundedDict,
  DatabaseBoundedList,
  getDefaultRecorder,
  openRecorder,
  RECORD_TYPE_NAMES,
  setDefaultRecorder,
} from "@tailkeep/client";

export async function recording(): Promise<void> {
  const recorder = openRecorder({
    sessionId: `packed-${process.versions.node}`,
    overflow: { frame_tracking: "drop-oldest" },
  });
  recorder.onProblem((problem) => assert.fail(problem.message));
  setDefaultRecorder(recorder);
  assert.equal(getDefaultRecorder(), recorder);

  for (const type of RECORD_TYPE_NAMES) {
    const list = new DatabaseBoundedList(type, { capacity: 10, gameId: "ls20" });
    for (let step = 0; step < 25; step++) list.append({ score: step });
    let expected = 24;
    for await (const item of list.history()) assert.equal((item as { score?: number }).score, expected--);
    assert.equal(expected, -1);
    assert.equal((await list.tail(3)).length, 3);
    assert.equal(await list.loadFromDatabase(5), 5);
    await watchSome(list);
  }

  const frames = new DatabaseBoundedDict("frame_tracking", { capacity: 2, gameId: "frames" });
  for (const hash of ["a", "b", "c"]) frames.set(hash, { seen: hash });
  assert.equal(frames.has("a"), false);
  assert.deepEqual(await frames.fetch("a"), { seen: "a" });
  assert.equal(await frames.loadFromDatabase(), 2);
  const writes: string[] = [];
  for await (const { key } of frames.history({ order: "oldest" })) writes.push(key);
  assert.deepEqual(writes, ["a", "b", "c"]);

  await recorder.flush();
  await recorder.drained();
  await recorder.replayed();
  assert.equal(recorder.memoryBytes, 0);
  assert.equal(recorder.lanes.length, 2);
  const { appended, durable } = await recorder.close();
  assert.deepEqual({ appended, durable }, { appended: 6 * 25 + 3, durable: 6 * 25 + 3 });
  setDefaultRecorder(undefined);
}

async function watchSome(list: DatabaseBoundedList): Promise<void> {
  let seen = 0;
  for await (const event of list.watch({ snapshotLimit: 4 })) {
    if (event.event === "record") seen++;
    if (event.event === "caughtUp") break;
  }
  assert.equal(seen, 4);
}
