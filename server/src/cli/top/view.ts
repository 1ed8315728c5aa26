/** A sample as lines for people, and as an object for programs. */
import type { SessionInfo } from "@tailkeep/client";
import { rate, type Sample } from "./sample.js";

export const SORTS = ["rate", "stored", "lost", "seen", "name"] as const;
export type Sort = (typeof SORTS)[number];

export interface ViewOptions {
  readonly sort: Sort;
  readonly columns: number;
  /** Lines that fit; all where it is infinite. */
  readonly rows: number;
  readonly server: string;
}

interface SessionRow {
  readonly session: SessionInfo;
  readonly stored: number;
  readonly perSecond: number | undefined;
  readonly lost: number;
  readonly rejected: number;
}

function sessionRows(sample: Sample, before: Sample | undefined, sort: Sort): SessionRow[] {
  const seconds = before === undefined ? undefined : (sample.atMs - before.atMs) / 1_000;
  const earlier = new Map(before?.sessions.map((session) => [session.sessionId, session.counts?.stored]));
  const rows = sample.sessions.map((session) => {
    const { stored = 0, gapped = 0, rejected = 0 } = session.counts ?? {};
    // A session that was not there before has written all of its records since.
    const perSecond = rate(
      stored,
      before === undefined ? undefined : (earlier.get(session.sessionId) ?? stored),
      seconds,
    );
    return { session, stored, perSecond, lost: gapped, rejected };
  });
  const order: Record<Sort, (row: SessionRow) => number> = {
    rate: (row) => row.perSecond ?? 0,
    stored: (row) => row.stored,
    lost: (row) => row.lost + row.rejected,
    seen: (row) => row.session.lastSeenAtUs,
    name: () => 0,
  };
  const byName = (a: SessionRow, b: SessionRow) => (a.session.sessionId < b.session.sessionId ? -1 : 1);
  return rows.sort((a, b) => order[sort](b) - order[sort](a) || byName(a, b));
}

export function viewLines(sample: Sample, before: Sample | undefined, options: ViewOptions): string[] {
  const { sort, columns, rows } = options;
  const head = [...summary(sample, before, options.server), ""];
  const table = sessionRows(sample, before, sort).map((row) => sessionLine(row, sample.wallMs));
  const title = `${"state".padEnd(8)} ${cell("per s", 9)} ${cell("stored", 13)} ${cell("lost", 9)} ${cell("dead", 7)} ${cell("seen", 6)}  session`;
  const room = Math.max(1, rows - head.length - 2);
  const shown = table.slice(0, room);
  const hidden = table.length - shown.length;
  const lines = [...head, title, ...shown, ...(hidden > 0 ? [`... and ${hidden} more`] : [])];
  return lines.map((line) => Array.from(line).slice(0, columns).join(""));
}

function summary(sample: Sample, before: Sample | undefined, server: string): string[] {
  const { totals, metrics } = sample;
  const seconds = before === undefined ? undefined : (sample.atMs - before.atMs) / 1_000;
  const perSecond = rate(totals.counts.stored, before?.totals.counts.stored, seconds);
  const running = sample.sessions.filter(({ state }) => state === "running").length;
  const first =
    `tailkeep at ${server}  ${new Date(sample.wallMs).toISOString().slice(11, 19)} UTC  ` +
    `${whole(totals.sessionCount)} sessions, ${running} of those below running`;
  const ledger =
    `ledger   ${whole(totals.counts.stored)} stored (${perSecondText(perSecond)}/s), ` +
    `${whole(totals.counts.rejected)} dead letters, ${whole(totals.counts.gapped)} declared lost`;
  if (metrics === undefined) return [first, ledger, `server   ${sample.metricsMissing ?? ""}`];
  const get = (name: string) => metrics.get(`tailkeep_${name}`);
  const commits = rate(
    get("commit_duration_seconds_count"),
    before?.metrics?.get("tailkeep_commit_duration_seconds_count"),
    seconds,
  );
  const up = get("store_up") === 1 ? "store answers" : "STORE DOES NOT ANSWER";
  const durable = get("store_durable") === 1 ? "commits are durable" : "COMMITS DO NOT SURVIVE A POWER LOSS";
  return [
    first,
    ledger,
    `memory   ${bytes(get("resident_memory_bytes"))} of ${bytes(get("resident_memory_limit_bytes"))}, ` +
      `on its way ${bytes(get("ingest_memory_bytes"))} of ${bytes(get("ingest_memory_limit_bytes"))}, ` +
      `caches ${bytes(get("cache_bytes"))} of ${whole(get("cache_sessions"))} sessions`,
    `store    ${up}, ${durable}; ${perSecondText(commits)} commits/s, ${whole(get("commit_waiting_records"))} records wait, ` +
      `${whole(get("commit_retries_total"))} retries`,
    `streams  ${whole(get("streams_open"))} open, ${whole(get("watchers"))} watchers`,
  ];
}

function sessionLine({ session, stored, perSecond, lost, rejected }: SessionRow, nowMs: number): string {
  const name = session.name === "" ? "" : `  ${session.name}`;
  const seen = age(nowMs - session.lastSeenAtUs / 1_000);
  return (
    `${session.state.padEnd(8)} ${cell(perSecondText(perSecond), 9)} ${cell(whole(stored), 13)} ${cell(whole(lost), 9)} ` +
    `${cell(whole(rejected), 7)} ${cell(seen, 6)}  ${harmless(session.sessionId + name)}`
  );
}

/** The same as one object; rates are records a second, null where they are not known yet. */
export function viewObject(sample: Sample, before: Sample | undefined, sort: Sort): object {
  const seconds = before === undefined ? undefined : (sample.atMs - before.atMs) / 1_000;
  return {
    time: new Date(sample.wallMs).toISOString(),
    ...sample.totals,
    storedPerSecond: rate(sample.totals.counts.stored, before?.totals.counts.stored, seconds) ?? null,
    sessions: sessionRows(sample, before, sort).map(({ session, perSecond }) => ({
      sessionId: session.sessionId,
      name: session.name,
      state: session.state,
      lastSeenAtUs: session.lastSeenAtUs,
      counts: session.counts,
      storedPerSecond: perSecond ?? null,
    })),
    metrics: sample.metrics === undefined ? null : Object.fromEntries(sample.metrics),
    metricsMissing: sample.metricsMissing ?? null,
  };
}

function cell(text: string, width: number): string {
  return text.padStart(width);
}

function whole(count: number | undefined): string {
  return count === undefined ? "-" : count.toLocaleString("en");
}

function perSecondText(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 10 || value === 0 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

function bytes(count: number | undefined): string {
  return count === undefined ? "-" : `${(count / 2 ** 20).toFixed(0)} MiB`;
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Nothing that a terminal might obey. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
