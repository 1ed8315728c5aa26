/** Where a session tried what, and how often that worked: exact over its newest coordinates, of which it says how many. */
import { RecordType } from "@tailkeep/proto";
import { HEAT_MAP_RECORDS_MAX } from "../../limits.js";
import type { Ask } from "./ask.js";
import { newestRecords } from "./newest-records.js";

interface Cell {
  x: number;
  y: number;
  tries: number;
  successes: number;
}

export async function heatMap(ask: Ask): Promise<unknown> {
  const byAction = new Map<string, Map<string, Cell>>();
  const games = new Set<string>();
  const read = await newestRecords(ask, RecordType.COORDINATE_TRACKING, HEAT_MAP_RECORDS_MAX, ({ record }) => {
    if (record?.kind?.$case !== "coordinateTracking") return;
    const { gameId, coordinateX: x, coordinateY: y, actionType, success } = record.kind.value;
    games.add(gameId);
    if (x === undefined || y === undefined) return;
    const cells = byAction.get(actionType ?? "") ?? new Map<string, Cell>();
    byAction.set(actionType ?? "", cells);
    const cell = cells.get(`${x},${y}`) ?? { x, y, tries: 0, successes: 0 };
    cells.set(`${x},${y}`, cell);
    cell.tries++;
    if (success === true) cell.successes++;
  });
  const actions = [...byAction].map(([action, cells]) => ({ action, cells: [...cells.values()] }));
  return { ...read, recordsMax: HEAT_MAP_RECORDS_MAX, games: [...games].sort(), actions };
}
