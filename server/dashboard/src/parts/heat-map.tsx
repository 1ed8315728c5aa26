/** Where a session tried what: darker for more tries, in squares of the game's own grid. */
import { useEffect, useRef, useState } from "preact/hooks";
import { readColours, useThemeVersion, withAlpha } from "../charts/theme.js";
import { plural, whole } from "../format.js";
import { useAnswer } from "../use-answer.js";
import { Notice } from "./notice.js";

interface Cell {
  x: number;
  y: number;
  tries: number;
  successes: number;
}

interface HeatMapAnswer {
  records: number;
  complete: boolean;
  recordsMax: number;
  games: string[];
  actions: { action: string; cells: Cell[] }[];
}

const SIDE_PX_MAX = 420;
/** A larger grid is drawn in squares of several cells. */
const CELLS_MAX = 70;
const TABLE_ROWS = 10;
const ALL = "\u0000all";

export function HeatMap({ sessionId, version }: { sessionId: string; version: number }) {
  const [game, setGame] = useState("");
  const [action, setAction] = useState(ALL);
  const games = useAnswer<HeatMapAnswer>("heat-map", { session: sessionId }, version);
  const one = useAnswer<HeatMapAnswer>(game === "" ? undefined : "heat-map", { session: sessionId, game }, version);
  const { value, error } = game === "" ? games : one;
  if (value === undefined || (games.value?.records ?? 0) === 0) {
    return (
      <section class="card placeholder" aria-label="Coordinates">
        {error === undefined ? <p class="muted">Reading coordinates …</p> : <Notice tone="bad">{error.message}</Notice>}
      </section>
    );
  }
  const actions = value.actions.map((each) => each.action).sort();
  const cells = summed(
    value.actions.filter((each) => action === ALL || each.action === action).map((each) => each.cells),
  );
  const most = cells.toSorted((a, b) => b.tries - a.tries);
  return (
    <section class="card" aria-labelledby="heat">
      <h2 id="heat">Coordinates</h2>
      <div class="filters">
        <label>
          Game
          <select value={game} onChange={(event) => setGame(event.currentTarget.value)}>
            <option value="">all games</option>
            {games.value?.games.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <label>
          Action
          <select value={action} onChange={(event) => setAction(event.currentTarget.value)}>
            <option value={ALL}>all actions</option>
            {actions.map((each) => (
              <option key={each} value={each}>
                {each || "(no action)"}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="muted">
        {value.complete
          ? `Exact over all ${plural(value.records, "coordinate")} that are stored.`
          : `Exact over the newest ${plural(value.records, "coordinate")}; older ones are not counted.`}
      </p>
      {cells.length > 0 && <Grid cells={cells} label={wordsOf(cells, most)} />}
      <p class="summary">{wordsOf(cells, most)}</p>
      <details>
        <summary>Most tried coordinates as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">x, y</th>
              <th scope="col">tries</th>
              <th scope="col">had an effect</th>
            </tr>
          </thead>
          <tbody>
            {most.slice(0, TABLE_ROWS).map(({ x, y, tries, successes }) => (
              <tr key={`${x},${y}`}>
                <th scope="row">
                  {x}, {y}
                </th>
                <td>{whole(tries)}</td>
                <td>{Math.round((successes / tries) * 100)} %</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

function summed(lists: readonly (readonly Cell[])[]): Cell[] {
  const byPlace = new Map<string, Cell>();
  for (const { x, y, tries, successes } of lists.flat()) {
    const cell = byPlace.get(`${x},${y}`) ?? { x, y, tries: 0, successes: 0 };
    cell.tries += tries;
    cell.successes += successes;
    byPlace.set(`${x},${y}`, cell);
  }
  return [...byPlace.values()];
}

function wordsOf(cells: readonly Cell[], most: readonly Cell[]): string {
  const [top] = most;
  if (top === undefined) return "No coordinate was tried with it.";
  const tries = cells.reduce((sum, cell) => sum + cell.tries, 0);
  const share = Math.round((cells.reduce((sum, cell) => sum + cell.successes, 0) / tries) * 100);
  return (
    `${plural(tries, "try", "tries")} at ${plural(cells.length, "coordinate")}, ${share} % had an effect. ` +
    `Most at ${top.x}, ${top.y}: ${whole(top.tries)}.`
  );
}

function Grid({ cells, label }: { cells: readonly Cell[]; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeVersion();
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, cells);
  }, [cells, theme]);
  return <canvas class="map" ref={canvas} role="img" aria-label={`Heat map. ${label}`} />;
}

function draw(canvas: HTMLCanvasElement, cells: readonly Cell[]): void {
  const [left, right, top, bottom] = [
    cells.reduce((least, { x }) => Math.min(least, x), Number.POSITIVE_INFINITY),
    cells.reduce((most, { x }) => Math.max(most, x), Number.NEGATIVE_INFINITY),
    cells.reduce((least, { y }) => Math.min(least, y), Number.POSITIVE_INFINITY),
    cells.reduce((most, { y }) => Math.max(most, y), Number.NEGATIVE_INFINITY),
  ];
  const bin = Math.max(1, Math.ceil(Math.max(right - left + 1, bottom - top + 1) / CELLS_MAX));
  const [columns, rows] = [Math.floor((right - left) / bin) + 1, Math.floor((bottom - top) / bin) + 1];
  const px = Math.max(4, Math.min(36, Math.floor(SIDE_PX_MAX / Math.max(columns, rows))));
  const binned = new Map<number, number>();
  for (const { x, y, tries } of cells) {
    const place = Math.floor((y - top) / bin) * columns + Math.floor((x - left) / bin);
    binned.set(place, (binned.get(place) ?? 0) + tries);
  }
  const most = [...binned.values()].reduce((a, b) => Math.max(a, b), 1);
  canvas.width = columns * px;
  canvas.height = rows * px;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { series, grid } = readColours();
  context.fillStyle = withAlpha(grid, 0.4);
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [place, tries] of binned) {
    // By the logarithm: a place tried once must be seen beside one tried a thousand times.
    context.fillStyle = withAlpha(series[0] ?? grid, 0.15 + (0.85 * Math.log1p(tries)) / Math.log1p(most));
    context.fillRect((place % columns) * px, Math.floor(place / columns) * px, px - 1, px - 1);
  }
}
