/** When a session's frames moved and when they stood still: runs over its newest frames, of which it says how many. */
import { RecordType } from "@tailkeep/proto";
import { TIMELINE_RECORDS_MAX } from "../../limits.js";
import type { Ask } from "./ask.js";
import { newestRecords } from "./newest-records.js";

interface Run {
  gameId: string;
  stagnant: boolean;
  fromUs: number;
  toUs: number;
  frames: number;
}

export async function frameRuns(ask: Ask): Promise<unknown> {
  const runs: Run[] = [];
  const games = new Set<string>();
  const read = await newestRecords(ask, RecordType.FRAME_TRACKING, TIMELINE_RECORDS_MAX, ({ record }) => {
    if (record?.kind?.$case !== "frameTracking") return;
    const { gameId, stagnationDetected } = record.kind.value;
    const timeUs = Number(record.eventTimeUs);
    games.add(gameId);
    const stagnant = stagnationDetected === true;
    // Newest first: the last run is the one that this frame comes before.
    const last = runs.at(-1);
    if (last?.stagnant === stagnant && last.gameId === gameId) {
      last.fromUs = timeUs;
      last.frames++;
    } else runs.push({ gameId, stagnant, fromUs: timeUs, toUs: timeUs, frames: 1 });
  });
  return { ...read, recordsMax: TIMELINE_RECORDS_MAX, games: [...games].sort(), runs: runs.reverse() };
}
