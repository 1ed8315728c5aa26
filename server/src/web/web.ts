/** Everything that the dashboard needs of the server: its files, its API, and what it is told live. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.js";
import type { WatchContext } from "../history/watch-call.js";
import { RpcError } from "../rpc/errors.js";
import type { Gate } from "../rpc/unary.js";
import { sendText } from "./answer.js";
import { API_PREFIX, Api } from "./api/api.js";
import { callMetadata, type RpcBridge } from "./api/rpc-bridge.js";
import { EventStreams } from "./live/event-streams.js";
import type { Monitor } from "./live/monitor.js";
import { StaticFiles } from "./static-files.js";

/** Where the build puts the dashboard: beside the compiled server. */
const DASHBOARD = fileURLToPath(new URL("../dashboard", import.meta.url));

export interface WebContext {
  readonly bridge: RpcBridge;
  readonly gate: Gate;
  /** Whether the pages may be seen at all, before it is asked who may call what. */
  visit(authorization: string | undefined): { namespace: string } | { refused: number; text: string };
  /** What somebody may know who has shown no key yet. */
  door(): object;
  /** What the caller may know of the server. @throws RpcError */
  server(authorization: string | undefined): object;
  readonly monitor: Monitor;
  readonly watch: WatchContext;
  readonly clock: Clock;
  /** Aborted when the server ends; pages then come back. */
  readonly stopping: AbortSignal;
}

export class Web {
  readonly #files = new StaticFiles(DASHBOARD);
  readonly #api: Api;
  readonly #events: EventStreams;

  constructor(context: WebContext) {
    const { bridge, gate } = context;
    const checkVisit = (authorization: string | undefined) => {
      const visit = context.visit(authorization);
      if (!("refused" in visit)) return;
      const code = { 403: "NOT_PERMITTED", 503: "STORE_UNAVAILABLE" } as const;
      throw new RpcError(code[visit.refused as keyof typeof code] ?? "NO_KEY", visit.text);
    };
    const unexpected = (error: unknown) => gate.unexpected(error);
    this.#api = new Api({
      bridge,
      checkVisit,
      door: () => context.door(),
      server: (authorization) => context.server(authorization),
      unexpected,
    });
    this.#events = new EventStreams({
      ...context,
      admit: (authorization) => {
        checkVisit(authorization);
        const metadata = callMetadata(authorization);
        return gate.admit({ metadata, getPath: () => "/tailkeep.v1.HistoryService/WatchRecords" });
      },
      unexpected,
    });
  }

  /** False where nothing of it is asked for. */
  async answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (url.pathname === `${API_PREFIX}events` && isReading) {
      await this.#events.answer(url, request, response);
      return true;
    }
    if (url.pathname.startsWith(API_PREFIX)) {
      await this.#api.answer(url, request, response);
      return true;
    }
    if (!isReading) return false;
    if (this.#files.answer(url.pathname, request, response)) return true;
    if (url.pathname !== "/") return false;
    sendText(response, 200, "Tailkeep is running, without its dashboard; `npm run build` makes it.");
    return true;
  }
}
