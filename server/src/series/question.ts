/** A question about one series, checked and complete. */
import type { GetSeriesRequest } from "@tailkeep/proto";
import { SERIES_POINTS_DEFAULT, SERIES_POINTS_MAX } from "../limits.js";
import { type Table, tableOfType } from "../record/tables.js";
import { badField } from "../rpc/errors.js";
import { optionalId, requiredId } from "../rpc/fields.js";
import { type SeriesName, seriesName, seriesNames } from "./columns.js";

/** What runs along the x axis. */
export type XAxis = "time" | "seq" | SeriesName;

export interface SeriesQuestion {
  readonly sessionId: string;
  readonly table: Table;
  readonly y: SeriesName;
  readonly x: XAxis;
  /** Undefined: all of them. */
  readonly gameId: string | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly points: number;
}

/** The names of the series that it looks at. */
export function seriesOf({ x, y }: SeriesQuestion): ReadonlySet<string> {
  return new Set(typeof x === "string" ? [y.name] : [y.name, x.name]);
}

function named(field: string, table: Table, name: string): SeriesName {
  const found = seriesName(table, name);
  if (found !== undefined) return found;
  throw badField(field, `${table.name} has no numbers of this name; use one of ${seriesNames(table)}`);
}

function bound(field: string, value: number | undefined): number | undefined {
  if (value === undefined || Number.isFinite(value)) return value;
  throw badField(field, `is ${value}; send a finite number, or leave it out`);
}

/** @throws RpcError */
export function seriesQuestion(request: GetSeriesRequest): SeriesQuestion {
  const sessionId = requiredId("session_id", request.sessionId);
  const table = tableOfType(request.type);
  if (table === undefined) throw badField("type", `${request.type} is not a record type; use 2 to 7`);
  const y = named("column", table, request.column);
  const x = request.x === "" ? "time" : request.x;
  const from = bound("from", request.from);
  const to = bound("to", request.to);
  if (from !== undefined && to !== undefined && from > to)
    throw badField("from", `is ${from}, and to is ${to}; swap them`);
  const points = request.points === 0 ? SERIES_POINTS_DEFAULT : request.points;
  if (points < 1 || points > SERIES_POINTS_MAX) throw badField("points", `is ${points}; use 1 to ${SERIES_POINTS_MAX}`);
  return {
    sessionId,
    table,
    y,
    x: x === "time" || x === "seq" ? x : named("x", table, x),
    gameId: optionalId("game_id", request.gameId),
    from,
    to,
    points,
  };
}
