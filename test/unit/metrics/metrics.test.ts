// What Prometheus is told: by prom-client's registry and by our own text alike.
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TailkeepClient } from "../../../client/src/client.js";
import { createMetricsRegistry } from "../../../client/src/metrics/registry.js";
import { metricsOf, metricsText } from "../../../client/src/metrics/samples.js";
import { readContainers, trackContainer } from "../../../client/src/metrics/tracked-containers.js";
import { FIXED_LIMITS } from "../../../client/src/recorder/central-limits.js";
import { resolveRecorderOptions } from "../../../client/src/recorder/options.js";
import { Problems } from "../../../client/src/recorder/problems.js";
import { Recorder } from "../../../client/src/recorder/recorder.js";
import { IngestServer } from "../client/ingest-server.js";

let server: IngestServer;
let recorder: Recorder;

beforeEach(async () => {
  server = await new IngestServer().start();
  const options = resolveRecorderOptions({ server: server.address, spill: false }, {});
  const client = new TailkeepClient(options.connect);
  const problems = new Problems();
  problems.add(() => undefined);
  recorder = new Recorder(options, {
    client,
    transport: client.ingestTransport(),
    spill: undefined,
    problems,
    limits: FIXED_LIMITS,
  });
});

afterEach(async () => {
  await recorder.close({ timeoutMs: 1_000 });
  await server.stop();
});

/** Samples of a text: `name{label="x"}` to value. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

test("containers of a name are added up, by name", () => {
  const own = (items: number) => ({ capacity: 10, length: items, byteLength: undefined, evictions: 3 });
  const [first, second] = [own(4), own(5)];
  trackContainer('scores "of" the test', first);
  trackContainer('scores "of" the test', second);
  const dict = { capacity: 7, size: 6, byteLength: 640, evictions: 0 };
  trackContainer("frames of the test", dict);
  const found = samples(metricsText());
  expect(found.get('tailkeep_client_container_items{container="scores \\"of\\" the test"}')).toBe(9);
  expect(found.get('tailkeep_client_container_evictions_total{container="scores \\"of\\" the test"}')).toBe(6);
  expect(found.get('tailkeep_client_container_capacity{container="frames of the test"}')).toBe(7);
  expect(found.get('tailkeep_client_container_bytes{container="frames of the test"}')).toBe(640);
  expect(found.has('tailkeep_client_container_bytes{container="scores \\"of\\" the test"}')).toBe(false);
});

test("names without number share a label at last", () => {
  const containers = Array.from({ length: 300 }, () => ({ capacity: 1, length: 1, evictions: 0 }));
  containers.forEach((container, i) => {
    trackContainer(`name-${i}`, container);
  });
  const readings = readContainers();
  expect(readings.length).toBeLessThanOrEqual(201);
  expect(readings.find(({ name }) => name === "others")?.items).toBeGreaterThan(0);
});

test("the recorder's ledger, queue and streams are there, and both ways say the same", async () => {
  for (let n = 0; n < 10; n++) recorder.append({ type: "score_history", score: n });
  recorder.append({ type: "score_history", score: "high" as unknown as number });
  await recorder.flush();
  const registry = createMetricsRegistry({ recorder });
  const [own, theirs] = [samples(metricsText(recorder)), samples(await registry.metrics())];
  expect(own.get("tailkeep_client_records_appended_total")).toBe(11);
  expect(own.get("tailkeep_client_records_durable_total")).toBe(10);
  expect(own.get("tailkeep_client_records_rejected_total")).toBe(1);
  expect(own.get('tailkeep_client_records_dropped_total{cause="overflow"}')).toBe(0);
  expect(own.get("tailkeep_client_queue_limit_bytes")).toBe(32 * 1024 * 1024);
  expect(own.get('tailkeep_client_streams{state="open"}')).toBe(1);
  expect(own.get("tailkeep_client_heap_used_bytes")).toBeGreaterThan(1e6);
  const stable = (all: Map<string, number>) =>
    [...all].filter(([name]) => !/heap|resident/.test(name)).sort(([a], [b]) => a.localeCompare(b));
  expect(stable(theirs)).toEqual(stable(own));
  // Scraped again, a counter says what it counts now, not twice.
  expect(samples(await registry.metrics()).get("tailkeep_client_records_durable_total")).toBe(10);
});

test("they join a registry of the application", async () => {
  const registry = new Registry();
  expect(createMetricsRegistry({ registry })).toBe(registry);
  expect(await registry.metrics()).toContain("tailkeep_client_resident_memory_bytes");
});

test("names follow the conventions: the prefix, _total on counters alone, base units", () => {
  for (const { name, type, help } of metricsOf(recorder)) {
    expect(name).toMatch(/^tailkeep_client_[a-z_]+$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    expect(help).toMatch(/^[A-Z].*\.$/);
  }
});
