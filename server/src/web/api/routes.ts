/** The JSON API under /api/v1/: which path asks which method. Sessions are named in the query, for an id may be `..`. */
import {
  DeleteSessionRequest,
  GetConfigRequest,
  GetLedgerRequest,
  GetRetentionRequest,
  GetSessionRequest,
  GetStatisticsRequest,
  ListConfigChangesRequest,
  ListDeadLettersRequest,
  ListGapsRequest,
  ListRecordsRequest,
  type RecordType,
  SortOrder,
  TailRecordsRequest,
  UpdateSessionRequest,
} from "@tailkeep/proto";
import type { Route } from "./ask.js";
import { frameRuns } from "./frame-runs.js";
import { heatMap } from "./heat-map.js";
import type { Parameters } from "./parameters.js";
import { seriesRoutes } from "./series-routes.js";
import { searchSessions } from "./session-search.js";
import { sessionUpdate } from "./session-update.js";

const paging = (params: Parameters) => ({ pageSize: params.whole("page_size"), pageToken: params.text("page_token") });

const listRecords: Route = ({ params, call }) =>
  call(
    "listRecords",
    ListRecordsRequest,
    ListRecordsRequest.fromPartial({
      ...paging(params),
      sessionId: params.text("session"),
      gameId: params.text("game"),
      types: params.wholes("type") as RecordType[],
      order: params.text("order") === "oldest" ? SortOrder.OLDEST_FIRST : SortOrder.NEWEST_FIRST,
    }),
  );

export const READ_ROUTES: Readonly<Record<string, Route>> = {
  sessions: searchSessions,
  session: ({ params, call }) => call("getSession", GetSessionRequest, { sessionId: params.text("session") }),
  statistics: ({ params, call }) => call("getStatistics", GetStatisticsRequest, { sessionId: params.text("session") }),
  ledger: ({ params, call }) =>
    call("getLedger", GetLedgerRequest, { ...paging(params), sessionId: params.text("session") }),
  gaps: ({ params, call }) =>
    call("listGaps", ListGapsRequest, { ...paging(params), sessionId: params.text("session") }),
  "dead-letters": ({ params, call }) =>
    call("listDeadLetters", ListDeadLettersRequest, { ...paging(params), sessionId: params.text("session") }),
  records: listRecords,
  tail: ({ params, call }) =>
    call("tailRecords", TailRecordsRequest, {
      sessionId: params.text("session"),
      gameId: params.text("game"),
      types: params.wholes("type") as RecordType[],
      limit: params.whole("limit"),
    }),
  "heat-map": heatMap,
  "frame-runs": frameRuns,
  config: ({ call }) => call("getConfig", GetConfigRequest, {}),
  "config/changes": ({ params, call }) => call("listConfigChanges", ListConfigChangesRequest, paging(params)),
  retention: ({ call }) => call("getRetention", GetRetentionRequest, {}),
  ...seriesRoutes,
};

export const UPDATE_ROUTES: Readonly<Record<string, Route>> = {
  session: ({ params, body, call }) =>
    call("updateSession", UpdateSessionRequest, sessionUpdate(params.text("session"), body)),
};

export const DELETE_ROUTES: Readonly<Record<string, Route>> = {
  session: ({ params, call }) =>
    call("deleteSession", DeleteSessionRequest, {
      sessionId: params.text("session"),
      force: params.text("force") === "true",
    }),
};
