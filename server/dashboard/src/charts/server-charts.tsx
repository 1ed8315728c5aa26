import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { bytes, short } from "../format.js";
import { type LiveState, useLive } from "../live/live-state.js";
import { Plot } from "./plot.js";
import { DASHES, readColours } from "./theme.js";

interface Line {
  field: string;
  name: string;
}

const RATES: readonly Line[] = [
  { field: "receivedPerSecond", name: "received" },
  { field: "committedPerSecond", name: "stored" },
];

const MEMORY: readonly Line[] = [
  { field: "residentBytes", name: "whole process" },
  { field: "ingestBytes", name: "batches not yet stored" },
  { field: "cacheBytes", name: "newest records" },
];

/** The server's last hour. */
export function ServerCharts() {
  const { past } = useLive();
  return (
    <div class="two">
      <PastChart title="Records per second" lines={RATES} past={past} format={short} />
      <PastChart title="Memory" lines={MEMORY} past={past} format={bytes} steps={BYTE_STEPS} />
    </div>
  );
}

interface Props {
  title: string;
  lines: readonly Line[];
  past: LiveState["past"];
  format: (value: number) => string;
  /** Steps of the value axis that are round in its unit. */
  steps?: number[];
}

/** A power of two each: 1 MiB to 64 GiB. */
const BYTE_STEPS = Array.from({ length: 17 }, (_, at) => 1_048_576 * 2 ** at);

function PastChart({ title, lines, past, format, steps }: Props) {
  const times = past["atMs"] ?? [];
  const data = useMemo(
    () => [times.map((ms) => ms / 1_000), ...lines.map(({ field }) => [...(past[field] ?? [])])] as uPlot.AlignedData,
    [past],
  );
  const words = lines
    .map(({ field, name }) => {
      const values = past[field] ?? [];
      return `${name}: now ${format(values.at(-1) ?? 0)}, most ${format(Math.max(0, ...values))}`;
    })
    .join("; ");
  const minutes = times.length > 1 ? Math.ceil(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 60_000) : 0;
  const options = () => {
    const colours = readColours();
    const axis = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid } };
    return {
      height: 180,
      legend: { show: true },
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_: uPlot, __: number, max: number): [number, number] => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        { ...axis, space: 100, values: (_: uPlot, marks: number[]) => marks.map(clockOf) },
        {
          ...axis,
          ...(steps === undefined ? {} : { incrs: steps }),
          size: 72,
          values: (_: uPlot, marks: number[]) => marks.map(format),
        },
      ],
      series: [
        { value: (_: uPlot, value: number | null) => (value === null ? "" : clockOf(value)) },
        ...lines.map(({ name }, at) => ({
          label: name,
          stroke: colours.series[at] ?? colours.text,
          width: 2,
          dash: [...(DASHES[at] ?? [])],
          points: { show: false },
          value: (_: uPlot, value: number | null) => (value === null ? "–" : format(value)),
        })),
      ],
    };
  };
  return (
    <figure class="card chart">
      <figcaption>
        <h2>{title}</h2> <span class="muted">{minutes < 1 ? "the last minute" : `the last ${minutes} min`}</span>
      </figcaption>
      {times.length === 0 ? (
        <p class="muted placeholder">The first sample comes within seconds.</p>
      ) : (
        <Plot options={options} optionsKey={title} data={data} label={`${title}. ${words}`} />
      )}
      <p class="summary">{words}</p>
    </figure>
  );
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const clockOf = (seconds: number): string => CLOCK.format(seconds * 1_000);
