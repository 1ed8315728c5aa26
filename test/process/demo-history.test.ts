// The demo's trainer keeps a hundred items in memory; what it played is read back whole, in order, and equal.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRecorder, RECORD_TYPE_NAMES, type RecordTypeName } from "@tailkeep/client";
import { itemOf, PlayLists, recordPlay } from "@tailkeep/server/dist/demo/play-lists.js";
import { PlayRecorder } from "@tailkeep/server/dist/demo/record-play.js";
import { train } from "@tailkeep/server/dist/demo/training.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TailkeepServer } from "../support/tailkeep-server.js";

const EPISODES = 200;

let folder: string;
let server: TailkeepServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tailkeep-play-"));
  server = await TailkeepServer.start({ store: `sqlite:${join(folder, "play.db")}` });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** Without how long an episode took: that no two plays share. */
function timeless(item: unknown): unknown {
  const { durationSeconds: _, metadata, ...rest } = item as Record<string, unknown>;
  return metadata === undefined ? rest : { ...rest, metadata };
}

test("the history of every list is what was played, although memory has a hundred items of it", async () => {
  const played = Object.fromEntries(RECORD_TYPE_NAMES.map((type) => [type, []])) as unknown as Record<
    RecordTypeName,
    object[]
  >;
  const same = new PlayRecorder();
  for (const event of train({ episodes: EPISODES, seed: 3 })) {
    for (const record of same.recordsOf(event)) played[record.type].push(itemOf(record));
  }

  const recorder = openRecorder({ server: server.grpcAddress, spill: false });
  const lists = new PlayLists(recorder, "play");
  await recordPlay(lists, train({ episodes: EPISODES, seed: 3 }), async () => {
    await recorder.drained();
  });
  for (const type of RECORD_TYPE_NAMES) {
    const list = lists.byType[type];
    expect(list.length).toBe(100);
    expect(list.map(timeless)).toEqual(played[type].slice(-100).map(timeless));
    for (const order of ["oldest", "newest"] as const) {
      const history: unknown[] = [];
      for await (const item of list.history({ order })) history.push(timeless(item));
      const expected = played[type].map(timeless);
      expect(history.length, `${type} ${order}`).toBe(expected.length);
      expect(history, `${type} ${order}`).toEqual(order === "oldest" ? expected : expected.reverse());
    }
  }
  expect(recorder.ledger).toMatchObject({ pending: 0, rejected: 0 });
  await recorder.close();
});
