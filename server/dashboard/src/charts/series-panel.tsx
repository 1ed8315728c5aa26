/** One series of one or several sessions: a line of means in a band from the least to the greatest value. */
import { useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { get } from "../api.js";
import { date, fine, plural, whole } from "../format.js";
import { TYPE_NAMES } from "../model.js";
import { Notice } from "../parts/notice.js";
import { useAsked } from "../use-answer.js";
import { drawMarks, type Losses, marksOf } from "./marks.js";
import { Plot } from "./plot.js";
import {
  type Axis,
  type Bucket,
  bucketsOf,
  extremesOf,
  plotData,
  type Range,
  type SeriesKey,
  type SeriesValues,
  unitOf,
} from "./series-data.js";
import { DASHES, readColours, withAlpha } from "./theme.js";
import { TIME_MARK_SPACE, timeMarks } from "./time-marks.js";

const POINTS = 600;
const TABLE_ROWS_MAX = 50;

export interface Compared {
  sessionId: string;
  title: string;
}

interface Props {
  series: SeriesKey;
  sessions: readonly Compared[];
  game: string;
  axis: Axis;
  /** As the server knows it; undefined where these records have none. */
  x: string | undefined;
  range: Range | undefined;
  losses: Losses;
  version: unknown;
  onZoom: (range: Range) => void;
  onExtent: (extent: Range) => void;
}

interface Found {
  sessions: readonly { title: string; buckets: readonly Bucket[]; values: SeriesValues }[];
  error: string;
}

export function SeriesPanel(props: Props) {
  const { series, sessions, axis, x } = props;
  const found = useFound(props);
  const title = `${TYPE_NAMES[series.type] ?? ""} ${series.column}`;
  const data = useMemo(() => plotData(found?.sessions.map(({ buckets }) => buckets) ?? []), [found]);
  const words = found === undefined ? "" : found.sessions.map(wordsOf(sessions.length > 1)).join(" ");
  const hasValues = found?.sessions.some(({ buckets }) => buckets.length > 0) === true;
  // As many lines as the answer has sessions: the next answer, with one more, is still on its way.
  const count = found?.sessions.length ?? 0;
  const key = JSON.stringify([series, axis, count, props.range, props.losses.gaps.length, props.losses.letters.length]);
  return (
    <figure class="card chart" data-series={`${series.type} ${series.column}`}>
      <figcaption>
        <h3>{title}</h3> {found?.sessions.some(({ values }) => !values.complete) && <Inexact />}
      </figcaption>
      {found?.error && <Notice tone="bad">{found.error}</Notice>}
      {x !== undefined && found === undefined && <p class="muted placeholder">Asking the server …</p>}
      {x === undefined && <p class="muted placeholder">These records have no step; choose time or number.</p>}
      {x !== undefined && found !== undefined && !hasValues && !found.error && (
        <p class="muted placeholder">No values here.</p>
      )}
      {hasValues && (
        <Plot
          options={() => optionsOf(count, props)}
          optionsKey={key}
          data={data}
          label={`Chart of ${title}. ${words}`}
        />
      )}
      {hasValues && <p class="summary">{words}</p>}
      {hasValues && found !== undefined && <ValuesTable found={found} axis={axis} title={title} />}
    </figure>
  );
}

function Inexact() {
  return <span class="muted small">the newest records are still being summed up</span>;
}

function wordsOf(isCompared: boolean) {
  return ({ title, buckets }: { title: string; buckets: readonly Bucket[] }): string => {
    const extremes = extremesOf(buckets);
    const name = isCompared ? `${title}: ` : "";
    if (extremes === undefined) return `${name}no values.`;
    const { min, max, mean, records } = extremes;
    return `${name}${fine(min)} to ${fine(max)}, mean ${fine(mean)}, ${plural(records, "record")}.`;
  };
}

function useFound({ series, sessions, game, axis, x, range, version, onExtent }: Props): Found | undefined {
  const unit = unitOf(axis);
  const ask = async (signal: AbortSignal) => {
    const one = async ({ sessionId, title }: Compared) => {
      const query = { session: sessionId, type: series.type, column: series.column, game, x, points: POINTS };
      const values = await get<SeriesValues>("series/values", { ...query, from: range?.from, to: range?.to }, signal);
      if (values.xMin !== undefined && values.xMax !== undefined) onExtent({ from: values.xMin, to: values.xMax });
      return { title, values, buckets: bucketsOf(values, unit) };
    };
    return await Promise.all(sessions.map(one));
  };
  const question = JSON.stringify([series, sessions, game, x, range]);
  const { value, error } = useAsked(x === undefined ? undefined : ask, question, version);
  // The same object while nothing has changed, so that the chart is drawn once.
  return useMemo(() => {
    if (value === undefined && error === undefined) return undefined;
    return { sessions: value ?? [], error: error?.message ?? "" };
  }, [value, error]);
}

function optionsOf(count: number, { axis, range, losses, onZoom }: Props): Omit<uPlot.Options, "width"> {
  const colours = readColours();
  const unit = unitOf(axis);
  const marks = marksOf(losses, axis);
  const places = Array.from({ length: count }, (_, at) => at);
  const line = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid } };
  const bound = { stroke: "transparent", width: 0, points: { show: false } };
  return {
    height: 210,
    // Room for the half of the last mark that stands beyond the end.
    padding: [null, 32, null, null],
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, y: false },
    scales: {
      x: {
        time: axis === "time",
        ...(range === undefined ? {} : { range: (): [number, number] => [range.from / unit, range.to / unit] }),
      },
    },
    axes: [
      axis === "time"
        ? { ...line, space: TIME_MARK_SPACE, values: (_: uPlot, at: number[]) => timeMarks(at) }
        : { ...line, values: (_: uPlot, at: number[]) => at.map((value) => whole(value)) },
      { ...line, size: 62, values: (_: uPlot, at: number[]) => at.map((value) => fine(value)) },
    ],
    series: [
      {},
      ...places.flatMap((at): uPlot.Series[] => [
        {
          stroke: colours.series[at % colours.series.length] ?? colours.text,
          width: 2,
          dash: [...(DASHES[at % DASHES.length] ?? [])],
          spanGaps: true,
        },
        { ...bound, spanGaps: true },
        { ...bound, spanGaps: true },
      ]),
    ],
    bands: places.map((at) => ({
      series: [at * 3 + 3, at * 3 + 2] as [number, number],
      fill: withAlpha(colours.series[at % colours.series.length] ?? colours.text, 0.2),
    })),
    hooks: {
      draw: [(plot) => drawMarks(plot, marks, colours)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const [from, to] = [plot.posToVal(left, "x") * unit, plot.posToVal(left + width, "x") * unit];
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onZoom({ from, to });
        },
      ],
    },
  };
}

/** The same as the picture, for whoever cannot see it: opened on demand, and cut where it would be endless. */
function ValuesTable({ found, axis, title }: { found: Found; axis: Axis; title: string }) {
  const [isOpen, setOpen] = useState(false);
  const format = (x: number) => (axis === "time" ? date(x * 1_000_000) : fine(x));
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Values of {title} as a table</summary>
      {isOpen &&
        found.sessions.map(({ title: session, buckets }) => {
          const step = Math.max(1, Math.ceil(buckets.length / TABLE_ROWS_MAX));
          return (
            <table key={session}>
              <caption>
                {session}: every {step === 1 ? "" : `${step}th `}of {plural(buckets.length, "bucket")}
              </caption>
              <thead>
                <tr>
                  <th scope="col">{axis}</th>
                  <th scope="col">least</th>
                  <th scope="col">mean</th>
                  <th scope="col">greatest</th>
                  <th scope="col">records</th>
                </tr>
              </thead>
              <tbody>
                {buckets
                  .filter((_, at) => at % step === 0)
                  .map(({ x, min, max, sum, count }) => (
                    <tr key={x}>
                      <th scope="row">{format(x)}</th>
                      <td>{fine(min)}</td>
                      <td>{fine(sum / count)}</td>
                      <td>{fine(max)}</td>
                      <td>{whole(count)}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          );
        })}
    </details>
  );
}
