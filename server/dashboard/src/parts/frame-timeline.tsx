/** When the game moved and when it stood still, over the newest frames. */
import { clock, duration, fine, plural } from "../format.js";
import { useAnswer } from "../use-answer.js";
import { Notice } from "./notice.js";

interface Run {
  gameId: string;
  stagnant: boolean;
  fromUs: number;
  toUs: number;
  frames: number;
}

interface RunsAnswer {
  records: number;
  complete: boolean;
  games: string[];
  runs: Run[];
}

/** Bars on the strip: more would be thinner than a pixel. */
const BARS = 300;
const TABLE_ROWS = 10;

export function FrameTimeline({ sessionId, version }: { sessionId: string; version: number }) {
  const { value, error } = useAnswer<RunsAnswer>("frame-runs", { session: sessionId }, version);
  if (value === undefined || value.records === 0) {
    return (
      <section class="card placeholder" aria-label="Frames that stood still">
        {error === undefined ? <p class="muted">Reading frames …</p> : <Notice tone="bad">{error.message}</Notice>}
      </section>
    );
  }
  const still = value.runs.filter(({ stagnant }) => stagnant);
  const frames = still.reduce((sum, run) => sum + run.frames, 0);
  const longest = still.toSorted((a, b) => b.frames - a.frames);
  const [first, last] = [value.runs[0], value.runs.at(-1)];
  const share = fine(Number(((frames / value.records) * 100).toPrecision(2)));
  const words =
    `The game stood still in ${plural(frames, "frame")} (${share} %), in ${plural(still.length, "run")}` +
    (longest[0] === undefined ? "." : `; the longest had ${plural(longest[0].frames, "frame")}.`);
  return (
    <section class="card" aria-labelledby="frames">
      <h2 id="frames">Frames that stood still</h2>
      <p class="muted">
        {value.complete
          ? `Exact over all ${plural(value.records, "frame")} that are stored.`
          : `Exact over the newest ${plural(value.records, "frame")}.`}
      </p>
      <svg class="strip" viewBox={`0 0 ${BARS} 20`} preserveAspectRatio="none" role="img" aria-label={words}>
        <rect class="moving" x="0" y="0" width={BARS} height="20" />
        {shares(value.runs, value.records).map((part, at) =>
          part > 0 ? <rect key={at} class="still" x={at} y={20 - 20 * part} width="1" height={20 * part} /> : null,
        )}
      </svg>
      <p class="key">
        <span>{first !== undefined && clock(first.fromUs)} (left)</span>
        <span>
          <span class="swatch moving" />
          moved
        </span>
        <span>
          <span class="swatch still" />
          stood still: the higher, the larger the share
        </span>
        <span>{last !== undefined && clock(last.toUs)} (right)</span>
      </p>
      <p class="summary">{words}</p>
      {longest.length > 0 && (
        <details>
          <summary>Longest stagnations as a table</summary>
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">Frames</th>
                <th scope="col">For</th>
                <th scope="col">Game</th>
              </tr>
            </thead>
            <tbody>
              {longest.slice(0, TABLE_ROWS).map(({ fromUs, toUs, frames: count, gameId }) => (
                <tr key={fromUs}>
                  <td>{clock(fromUs)}</td>
                  <td>{count}</td>
                  <td>{duration((toUs - fromUs) / 1_000)}</td>
                  <td dir="auto">{gameId}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}

/** By bar, each of as many frames: which part of them stood still. */
function shares(runs: readonly Run[], records: number): number[] {
  const bars = Math.min(BARS, records);
  const found = new Array<number>(BARS).fill(0);
  const perBar = records / bars;
  let from = 0;
  for (const { stagnant, frames } of runs) {
    const to = from + frames;
    for (let bar = Math.floor(from / perBar); stagnant && bar < bars && bar * perBar < to; bar++) {
      const part = Math.min(to, (bar + 1) * perBar) - Math.max(from, bar * perBar);
      for (let at = Math.floor((bar * BARS) / bars); at < ((bar + 1) * BARS) / bars; at++) {
        found[at] = (found[at] ?? 0) + part / perBar;
      }
    }
    from = to;
  }
  return found.map((share) => Math.min(1, share));
}
