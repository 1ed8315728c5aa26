import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.js";
import { ago, short } from "../format.js";
import { useLive } from "../live/live-state.js";
import { RUNNING, type Session, type SessionPage, STATE_NAMES, titleOf } from "../model.js";
import { isQuiet, lastWrittenMs, nowMsOf, useQuietMinutes } from "../quiet.js";
import { sessionHref } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { Notice } from "./notice.js";
import { StateBadge } from "./state-badge.js";

const PAGE_SIZE = 50;
const TYPING_PAUSE_MS = 250;

/** Sessions, searched by words, game and state. @param version asks again when it changes */
export function SessionList({ version }: { version: unknown }) {
  const [words, setWords] = useState("");
  const [game, setGame] = useState("");
  const [state, setState] = useState(0);
  const asked = useSettled(`${words}\n${game}`).split("\n");
  const query = { q: asked[0] ?? "", game: asked[1] ?? "", state: state || undefined, page_size: PAGE_SIZE };
  const page = useAnswer<SessionPage>("sessions", query, version);
  const [older, setOlder] = useState<SessionPage | undefined>();
  const question = JSON.stringify(query);
  useEffect(() => setOlder(undefined), [question]);
  const sessions = [...(page.value?.sessions ?? []), ...(older?.sessions ?? [])];
  const last = older ?? page.value;
  const showMore = async () => {
    const next = await get<SessionPage>("sessions", { ...query, page_token: last?.nextPageToken });
    setOlder({ ...next, sessions: [...(older?.sessions ?? []), ...next.sessions] });
  };
  return (
    <section class="card" aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      <search class="filters">
        <label>
          Name, id or label
          <input type="search" value={words} onInput={(event) => setWords(event.currentTarget.value)} />
        </label>
        <label>
          Game
          <input
            type="search"
            value={game}
            placeholder="exact id"
            onInput={(event) => setGame(event.currentTarget.value)}
          />
        </label>
        <label>
          State
          <select value={state} onChange={(event) => setState(Number(event.currentTarget.value))}>
            <option value={0}>any</option>
            {Object.entries(STATE_NAMES).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </search>
      {page.error !== undefined && <Notice tone="bad">{page.error.message}</Notice>}
      <p class="muted" role="status">
        {page.value !== undefined && found(sessions.length, last)}
      </p>
      {sessions.length > 0 && <Rows sessions={sessions} />}
      {last?.nextPageToken && (
        <button type="button" onClick={() => void showMore()}>
          Show older sessions
        </button>
      )}
    </section>
  );
}

function found(count: number, page: SessionPage | undefined): string {
  const more = page?.nextPageToken ? ", and older ones" : "";
  const partly = page?.complete === false ? "; not all that are stored were looked at" : "";
  return `${count === 0 ? "No session" : count === 1 ? "1 session" : `${count} sessions`}${more}${partly}`;
}

function Rows({ sessions }: { sessions: readonly Session[] }) {
  return (
    <table class="sessions">
      <thead>
        <tr>
          <th scope="col">Session</th>
          <th scope="col">State</th>
          <th scope="col">Last record</th>
          <th scope="col" class="figure">
            Records/s
          </th>
          <th scope="col">Started</th>
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <Row key={session.sessionId} session={session} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ session }: { session: Session }) {
  const state = useLive();
  const [minutes] = useQuietMinutes();
  const nowMs = nowMsOf(state);
  const rate = useRate(state.activity.get(session.sessionId)?.stored, nowMs);
  const quiet = isQuiet(session, state, nowMs, minutes);
  return (
    <tr>
      <th scope="row">
        <a href={sessionHref(session.sessionId)} dir="auto">
          {titleOf(session)}
        </a>
        {session.pinned && <span class="tag">pinned</span>}
        {session.name !== "" && (
          <div class="muted small" dir="auto">
            {session.sessionId}
          </div>
        )}
        <Labels labels={session.labels} />
      </th>
      <td data-label="State">
        <StateBadge state={session.state} quiet={quiet} />
      </td>
      <td data-label="Last record">{ago(nowMs - lastWrittenMs(session, state))}</td>
      <td data-label="Records/s" class="figure">
        {session.state === RUNNING ? short(rate) : "–"}
      </td>
      <td data-label="Started">{ago(nowMs - session.startedAtUs / 1_000)}</td>
    </tr>
  );
}

export function Labels({ labels }: { labels: Record<string, string> }) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return null;
  return (
    <ul class="labels" aria-label="Labels">
      {entries.map(([key, value]) => (
        <li key={key} dir="auto">
          {key}={value}
        </li>
      ))}
    </ul>
  );
}

/** How fast a count grows, over about five seconds. */
function useRate(count: number | undefined, nowMs: number): number {
  const seen = useRef<{ count: number; atMs: number }[]>([]);
  if (count === undefined) return 0;
  const kept = seen.current.filter(({ atMs }) => nowMs - atMs <= 5_000 && atMs <= nowMs);
  if (kept.at(-1)?.atMs !== nowMs) kept.push({ count, atMs: nowMs });
  seen.current = kept;
  const first = kept[0];
  if (first === undefined || nowMs === first.atMs) return 0;
  return Math.max(0, ((count - first.count) * 1_000) / (nowMs - first.atMs));
}

/** A text once it has stopped changing. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}
