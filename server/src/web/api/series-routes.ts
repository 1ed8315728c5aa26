/** The charts' questions. */
import { GetSeriesRequest, ListSeriesRequest, type RecordType } from "@tailkeep/proto";
import type { Route } from "./ask.js";

export const seriesRoutes: Readonly<Record<string, Route>> = {
  series: ({ params, call }) => call("listSeries", ListSeriesRequest, { sessionId: params.text("session") }),
  "series/values": ({ params, call }) => {
    const [from, to] = [params.number("from"), params.number("to")];
    const request = GetSeriesRequest.fromPartial({
      sessionId: params.text("session"),
      type: params.whole("type") as RecordType,
      column: params.text("column"),
      gameId: params.text("game"),
      x: params.text("x"),
      points: params.whole("points"),
    });
    return call("getSeries", GetSeriesRequest, {
      ...request,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
  },
};
