/** What is measured, and how Prometheus is told: without prom-client as text, with it as a registry (registry.ts). */

import { DROP_CAUSES, type Ledger } from "../recorder/ledger.js";
import type { Recorder } from "../recorder/recorder.js";
import { readContainers } from "./tracked-containers.js";

/** One series of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as Prometheus knows it. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly labelNames: readonly string[];
  /** Read when scraped. */
  readonly read: () => Sample[];
}

const LANE_STATES = [
  "idle",
  "opening",
  "open",
  "halfClosed",
  "waiting",
  "resting",
  "stopped",
  "closed",
  "failed",
] as const;

/** Every metric of a process: its containers, its memory and, where given, its recorder. */
export function metricsOf(recorder: Recorder | undefined): Metric[] {
  return [...containerMetrics(), ...processMetrics(), ...(recorder === undefined ? [] : recorderMetrics(recorder))];
}

/** The text that Prometheus scrapes. Serve it as `text/plain; version=0.0.4`. */
export function metricsText(recorder?: Recorder): string {
  return metricsOf(recorder)
    .map(({ name, help, type, read }) => {
      const lines = read().map(({ labels, value }) => `${name}${labelsText(labels)} ${valueText(value)}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function containerMetrics(): Metric[] {
  const byContainer = (
    name: string,
    help: string,
    type: Metric["type"],
    pick: (reading: ReturnType<typeof readContainers>[number]) => number | undefined,
  ): Metric => ({
    name: `tailkeep_client_container_${name}`,
    help,
    type,
    labelNames: ["container"],
    read: () =>
      readContainers().flatMap((reading) => {
        const value = pick(reading);
        return value === undefined ? [] : [{ labels: { container: reading.name }, value }];
      }),
  });
  return [
    byContainer("items", "Items in memory.", "gauge", ({ items }) => items),
    byContainer("capacity", "Most items that stay in memory.", "gauge", ({ capacity }) => capacity),
    byContainer("bytes", "Estimated bytes in memory, of containers bounded by bytes.", "gauge", ({ bytes }) => bytes),
    byContainer("evictions_total", "Items that left memory for newer ones.", "counter", ({ evictions }) => evictions),
  ];
}

function processMetrics(): Metric[] {
  const gauge = (name: string, help: string, read: () => number): Metric => ({
    name: `tailkeep_client_${name}`,
    help,
    type: "gauge",
    labelNames: [],
    read: () => [{ labels: {}, value: read() }],
  });
  return [
    gauge("heap_used_bytes", "Heap in use.", () => process.memoryUsage().heapUsed),
    gauge("heap_size_bytes", "Heap that is allocated.", () => process.memoryUsage().heapTotal),
    gauge("resident_memory_bytes", "Resident memory of the process.", () => process.memoryUsage.rss()),
  ];
}

function recorderMetrics(recorder: Recorder): Metric[] {
  const single = (name: string, help: string, type: Metric["type"], read: () => number): Metric => ({
    name: `tailkeep_client_${name}`,
    help,
    type,
    labelNames: [],
    read: () => [{ labels: {}, value: read() }],
  });
  const count = (name: string, help: string, pick: (ledger: Ledger) => number): Metric =>
    single(`records_${name}`, help, name.endsWith("_total") ? "counter" : "gauge", () => pick(recorder.ledger));
  return [
    count("appended_total", "Records handed to the recorder.", ({ appended }) => appended),
    count("durable_total", "Records that the server has made durable.", ({ durable }) => durable),
    count("rejected_total", "Records refused with a reason.", ({ rejected }) => rejected),
    count("pending", "Records in memory or spilled, not known to be durable.", ({ pending }) => pending),
    {
      name: "tailkeep_client_records_dropped_total",
      help: "Records lost for good, by cause.",
      type: "counter",
      labelNames: ["cause"],
      read: () => {
        const { dropped } = recorder.ledger;
        return DROP_CAUSES.map((cause) => ({ labels: { cause }, value: dropped[cause] }));
      },
    },
    {
      name: "tailkeep_client_streams",
      help: "Streams of the recorder, by state.",
      type: "gauge",
      labelNames: ["state"],
      read: () => {
        const { lanes } = recorder;
        return LANE_STATES.map((state) => ({
          labels: { state },
          value: lanes.filter((lane) => lane.state === state).length,
        }));
      },
    },
    single("streams_spilling", "Streams whose records go to disk.", "gauge", () => {
      return recorder.lanes.filter(({ isSpilling }) => isSpilling).length;
    }),
    single("queue_bytes", "Memory of records that wait for server or disk.", "gauge", () => recorder.memoryBytes),
    single("queue_limit_bytes", "Most memory that may wait.", "gauge", () => recorder.options.memoryBytesMax),
    single("spill_bytes", "Disk used by spilled records.", "gauge", () => recorder.spillBytes),
    single("spill_limit_bytes", "Most disk that may be used.", "gauge", () => recorder.options.spill?.bytesMax ?? 0),
    single("replay_pending_records", "Records of earlier processes that wait to be sent.", "gauge", () => {
      return recorder.replayLedger.pending;
    }),
    single("replay_durable_records_total", "Records of earlier processes made durable.", "counter", () => {
      return recorder.replayLedger.durable;
    }),
  ];
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
}

function valueText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
