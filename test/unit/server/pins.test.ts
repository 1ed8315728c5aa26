// What expiry does for pinned sessions before rows go.
import { BEING_UNPINNED, type PinWork, settlePins } from "@tailkeep/server/dist/store/pins.js";
import { expect, test } from "vitest";

const DAYS = { host: 20_000, database: 20_000, storing: 20_000 };
const PIN = { namespace: "default", sessionId: "run", state: BEING_UNPINNED };
const daysOfTables = () => Array.from({ length: 20 }, () => 30);

test("a session whose rows are still being given a day is not marked unpinned when the server stops", async () => {
  const ends = new AbortController();
  const moved: string[] = [];
  const unpinned: string[] = [];
  const work: PinWork = {
    move: ({ table }) => {
      moved.push(table);
      // As a server does that stops in the middle of a table: the rest of it has not been moved.
      if (moved.length === 2) ends.abort();
      return Promise.resolve();
    },
    unpinned: ({ sessionId }) => Promise.resolve(void unpinned.push(sessionId)),
  };
  await settlePins([PIN], DAYS, daysOfTables, work, ends.signal);
  expect([moved.length, unpinned]).toEqual([2, []]);
  await settlePins([PIN], DAYS, daysOfTables, work, undefined);
  expect(unpinned).toEqual(["run"]);
});
