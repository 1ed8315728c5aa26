/** What `tailkeep top` shows at one moment, and how fast it changed since the one before. */
import { NotFoundError, type SessionInfo, type Statistics, type TailkeepClient } from "@tailkeep/client";
import { metricsPage } from "./metrics-page.js";

export interface Sample {
  /** Monotonic, for rates. */
  readonly atMs: number;
  /** For people: milliseconds since 1970. */
  readonly wallMs: number;
  readonly totals: Statistics;
  /** Running ones first, with their counts. */
  readonly sessions: readonly SessionInfo[];
  /** The server's own figures by name; undefined where they cannot be had. */
  readonly metrics: ReadonlyMap<string, number> | undefined;
  /** Why not. */
  readonly metricsMissing: string | undefined;
}

export interface SampleQuestion {
  readonly client: TailkeepClient;
  /** Base of the server's HTTP side: http://127.0.0.1:9464 */
  readonly httpUrl: string;
  readonly sessionsMax: number;
}

const METRICS_CHARS_MAX = 4_000_000;

export async function takeSample({ client, httpUrl, sessionsMax }: SampleQuestion): Promise<Sample> {
  const [totals, sessions, answer] = await Promise.all([
    client.history.getStatistics(),
    newestSessions(client, sessionsMax),
    readMetrics(httpUrl),
  ]);
  const metrics = typeof answer === "string" ? undefined : answer;
  const metricsMissing = typeof answer === "string" ? answer : undefined;
  return { atMs: performance.now(), wallMs: Date.now(), totals, sessions, metrics, metricsMissing };
}

async function newestSessions(client: TailkeepClient, limit: number): Promise<SessionInfo[]> {
  const running = (await client.history.listSessions({ state: "running", limit }).firstPage()).items;
  const rest = limit - running.length;
  const others = rest <= 0 ? [] : (await client.history.listSessions({ limit }).firstPage()).items;
  const ended = others.filter(({ state }) => state !== "running").slice(0, Math.max(0, rest));
  const asked = [...running, ...ended].map(({ sessionId }) =>
    client.history.getSession(sessionId).catch((error: unknown) => {
      // Deleted since it was listed.
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }),
  );
  return (await Promise.all(asked)).filter((session) => session !== undefined);
}

/** The figures, or why there are none. */
async function readMetrics(httpUrl: string): Promise<ReadonlyMap<string, number> | string> {
  try {
    const { status, body } = await metricsPage(httpUrl);
    if (status === 200) return parseMetrics(body.slice(0, METRICS_CHARS_MAX));
    const remedy =
      status === 401 || status === 403
        ? "; give an administrator's key, with TAILKEEP_API_KEY_FILE or TAILKEEP_API_KEY"
        : "";
    return `${httpUrl}/metrics answers ${status}${remedy}`;
  } catch (error) {
    const why = error instanceof Error && error.name !== "AbortError" ? ` (${error.message})` : "";
    const remedy = "name it with --http, and with TLS its authority with TAILKEEP_CA";
    return `no figures of the server itself: ${httpUrl}/metrics does not answer${why}; ${remedy}`;
  }
}

/** Values without labels, by name. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*) (\S+)/.exec(line) ?? [];
    if (name !== undefined) found.set(name, Number(value));
  }
  return found;
}

/** Growth a second; undefined where nothing is known of before, or the server began anew. */
export function rate(
  now: number | undefined,
  before: number | undefined,
  seconds: number | undefined,
): number | undefined {
  if (now === undefined || before === undefined || seconds === undefined || seconds <= 0 || now < before)
    return undefined;
  return (now - before) / seconds;
}
