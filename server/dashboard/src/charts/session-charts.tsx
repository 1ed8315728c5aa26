/** The charts of a session: which series, over what, in which range, and beside which other sessions. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useLive } from "../live/live-state.js";
import { type Session, type SessionPage, TYPE_NAMES, titleOf } from "../model.js";
import { Notice } from "../parts/notice.js";
import { useAnswer } from "../use-answer.js";
import type { Losses } from "./marks.js";
import { type Axis, keyText, type Range, type Series, type SeriesKey, xOf } from "./series-data.js";
import { type Compared, SeriesPanel } from "./series-panel.js";
import { DASHES } from "./theme.js";

const COMPARED_MAX = 6;
const CHARTS_FIRST = 6;
/** A session that is being written is drawn anew this often, if something came. */
const REDRAW_MS = 5_000;

/** What a person looks for first, in this order; numeric metadata comes next. */
const FIRST: readonly SeriesKey[] = [
  { type: 2, column: "score" },
  { type: 2, column: "win_rate" },
  { type: 2, column: "learning_efficiency" },
  { type: 5, column: "score" },
  { type: 3, column: "actions_taken" },
  { type: 4, column: "effectiveness" },
];

export function SessionCharts({ session, losses }: { session: Session; losses: Losses }) {
  const version = useRedraw(session.sessionId);
  const { value, error } = useAnswer<{ series: Series[]; keysLeftOut: string[] }>(
    "series",
    { session: session.sessionId },
    version,
  );
  const all = value?.series ?? [];
  const keys = keysOf(all);
  const [chosen, setChosen] = useState<readonly string[]>();
  const [game, setGame] = useState("");
  const [axis, setAxis] = useState<Axis>("time");
  const [range, setRange] = useState<Range>();
  const [others, setOthers] = useState<readonly Compared[]>([]);
  const extent = useRef<Range | undefined>(undefined);
  const forget = () => {
    extent.current = undefined;
    setRange(undefined);
  };
  const shown = keys.filter((each, at) => chosen?.includes(keyText(each)) ?? at < CHARTS_FIRST);
  const sessions = [{ sessionId: session.sessionId, title: titleOf(session) }, ...others];
  const games = [...new Set(all.map(({ gameId }) => gameId))].filter((each) => each !== "").sort();
  const move = (change: (now: Range) => Range) => {
    const now = range ?? extent.current;
    if (now !== undefined) setRange(change(now));
  };
  const onExtent = ({ from, to }: Range) => {
    const known = extent.current;
    extent.current = { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) };
  };
  return (
    <section class="card" aria-labelledby="charts">
      <div class="row">
        <h2 id="charts">Charts</h2>
        <ZoomButtons isZoomed={range !== undefined} move={move} reset={() => setRange(undefined)} />
      </div>
      {error !== undefined && <Notice tone="bad">{error.message}</Notice>}
      <div class="filters">
        <label>
          Along the x axis
          <select
            value={axis}
            onChange={(event) => {
              setAxis(event.currentTarget.value as Axis);
              forget();
            }}
          >
            <option value="time">time</option>
            <option value="seq">number in the stream</option>
            <option value="step">step</option>
          </select>
        </label>
        <label>
          Game
          <select value={game} onChange={(event) => setGame(event.currentTarget.value)}>
            <option value="">all games together</option>
            {games.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <AddSession
          not={sessions.map(({ sessionId }) => sessionId)}
          isFull={sessions.length >= COMPARED_MAX}
          onAdd={(added) => {
            extent.current = undefined;
            setOthers([...others, added]);
          }}
        />
      </div>
      {others.length > 0 && (
        <ul class="key" aria-label="Sessions compared">
          {sessions.map(({ sessionId, title }, at) => (
            <li key={sessionId} class="compared">
              <LineSample at={at} /> <span dir="auto">{title}</span>
              {at > 0 && (
                <button
                  type="button"
                  class="quiet"
                  aria-label={`Remove ${title}`}
                  onClick={() => setOthers(others.filter((each) => each.sessionId !== sessionId))}
                >
                  ✕
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <ChooseCharts
        keys={keys}
        shown={shown.map(keyText)}
        leftOut={value?.keysLeftOut ?? []}
        onChange={(texts) => setChosen(texts)}
      />
      {losses.gaps.length + losses.letters.length > 0 && axis !== "step" && (
        <p class="key">
          <span>
            <span class="mark-gap">▼</span> gap
          </span>
          <span>
            <span class="mark-letter">◆</span> dead letter
          </span>
          of this session, where they fell
        </p>
      )}
      {value !== undefined && keys.length === 0 && <p class="muted">This session has no numbers yet.</p>}
      <div class="two plain">
        {shown.map((series) => (
          <SeriesPanel
            key={keyText(series)}
            series={series}
            sessions={sessions}
            game={game}
            axis={axis}
            x={xOf(axis, series.type, all)}
            range={range}
            losses={losses}
            version={version}
            onZoom={setRange}
            onExtent={onExtent}
          />
        ))}
      </div>
    </section>
  );
}

function keysOf(all: readonly Series[]): SeriesKey[] {
  const byText = new Map(all.map(({ type, column }) => [keyText({ type, column }), { type, column }]));
  const rank = (key: SeriesKey) => {
    const at = FIRST.findIndex((each) => keyText(each) === keyText(key));
    return at < 0 ? FIRST.length + (key.type === 2 ? 0 : key.type) : at;
  };
  return [...byText.values()].sort((a, b) => rank(a) - rank(b) || a.column.localeCompare(b.column));
}

/** Moves a few seconds after the server told something of the session. */
function useRedraw(sessionId: string): number {
  const { activity } = useLive();
  const news = activity.get(sessionId)?.news ?? 0;
  const [version, setVersion] = useState(0);
  const newest = useRef(news);
  newest.current = news;
  useEffect(() => {
    let drawn = newest.current;
    const timer = setInterval(() => {
      if (newest.current === drawn) return;
      drawn = newest.current;
      setVersion((count) => count + 1);
    }, REDRAW_MS);
    return () => clearInterval(timer);
  }, [sessionId]);
  return version;
}

interface ZoomProps {
  isZoomed: boolean;
  move: (change: (now: Range) => Range) => void;
  reset: () => void;
}

/** What dragging does, for the keyboard. */
function ZoomButtons({ isZoomed, move, reset }: ZoomProps) {
  const zoom = (factor: number) =>
    move(({ from, to }) => {
      const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor];
      return { from: middle - half, to: middle + half };
    });
  const shift = (share: number) =>
    move(({ from, to }) => ({ from: from + (to - from) * share, to: to + (to - from) * share }));
  return (
    <fieldset class="actions plain-set">
      <legend class="visually-hidden">Range of the charts</legend>
      <span class="muted small">Drag across a chart to zoom</span>
      <button type="button" onClick={() => zoom(0.5)} aria-label="Zoom in">
        +
      </button>
      <button type="button" onClick={() => zoom(2)} aria-label="Zoom out" disabled={!isZoomed}>
        −
      </button>
      <button type="button" onClick={() => shift(-0.5)} aria-label="Earlier" disabled={!isZoomed}>
        ←
      </button>
      <button type="button" onClick={() => shift(0.5)} aria-label="Later" disabled={!isZoomed}>
        →
      </button>
      <button type="button" onClick={reset} disabled={!isZoomed}>
        Show all
      </button>
    </fieldset>
  );
}

interface AddProps {
  not: readonly string[];
  isFull: boolean;
  onAdd: (session: Compared) => void;
}

function AddSession({ not, isFull, onAdd }: AddProps) {
  const { value } = useAnswer<SessionPage>("sessions", { page_size: 100 });
  const offered = (value?.sessions ?? []).filter(({ sessionId }) => !not.includes(sessionId));
  return (
    <label>
      Lay over it
      <select
        value=""
        disabled={isFull || offered.length === 0}
        onChange={(event) => {
          const added = offered.find(({ sessionId }) => sessionId === event.currentTarget.value);
          if (added !== undefined) onAdd({ sessionId: added.sessionId, title: titleOf(added) });
        }}
      >
        <option value="">{isFull ? `${COMPARED_MAX} are the most` : "another session …"}</option>
        {offered.map((each) => (
          <option key={each.sessionId} value={each.sessionId}>
            {titleOf(each)}
            {each.name === "" ? "" : ` (${each.sessionId})`}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ChooseProps {
  keys: readonly SeriesKey[];
  shown: readonly string[];
  leftOut: readonly string[];
  onChange: (texts: string[]) => void;
}

function ChooseCharts({ keys, shown, leftOut, onChange }: ChooseProps) {
  if (keys.length === 0) return null;
  const toggle = (text: string) =>
    onChange(shown.includes(text) ? shown.filter((each) => each !== text) : [...shown, text]);
  return (
    <details>
      <summary>
        Choose charts ({shown.length} of {keys.length})
      </summary>
      <div class="checks">
        {keys.map((key) => {
          const text = keyText(key);
          return (
            <label key={text} class="check">
              <input type="checkbox" checked={shown.includes(text)} onChange={() => toggle(text)} />
              {TYPE_NAMES[key.type]} {key.column}
            </label>
          );
        })}
      </div>
      {leftOut.length > 0 && (
        <p class="muted">
          Not kept as series, because a session has 64 at most: <span dir="auto">{leftOut.join(", ")}</span>
        </p>
      )}
    </details>
  );
}

function LineSample({ at }: { at: number }) {
  return (
    <svg class="line-sample" viewBox="0 0 30 8" aria-hidden="true">
      <line
        class={`s${(at % 6) + 1}`}
        x1="0"
        y1="4"
        x2="30"
        y2="4"
        stroke-dasharray={(DASHES[at % 6] ?? []).join(" ")}
      />
    </svg>
  );
}
