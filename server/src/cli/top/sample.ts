/** What `tailkeep top` shows at one moment, and how fast it changed since the one before. */
import { NotFoundError, type SessionInfo, type Statistics, type TailkeepClient } from "@tailkeep/client";

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

const METRICS_MS_MAX = 2_000;
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
  const key = process.env["TAILKEEP_API_KEY"];
  const isSafe = httpUrl.startsWith("https:") || /^http:\/\/(127\.|localhost|\[::1\])/.test(httpUrl);
  try {
    const answer = await fetch(`${httpUrl}/metrics`, {
      // A key goes over no network that anybody can read.
      headers: key && isSafe ? { authorization: `Bearer ${key}` } : {},
      signal: AbortSignal.timeout(METRICS_MS_MAX),
      redirect: "error",
    });
    if (answer.ok) return parseMetrics((await answer.text()).slice(0, METRICS_CHARS_MAX));
    const remedy =
      answer.status === 401 || answer.status === 403 ? "; set TAILKEEP_API_KEY to an administrator's key" : "";
    return `${httpUrl}/metrics answers ${answer.status}${remedy}`;
  } catch {
    return `no figures of the server itself: ${httpUrl}/metrics does not answer; name it with --http`;
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
