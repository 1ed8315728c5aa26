/**
 * The metrics as a prom-client registry: `import { createMetricsRegistry } from "@tailkeep/client/prometheus"`. An entry
 * of its own, because only applications that have prom-client installed may load it; `metricsText` needs nothing.
 */

import { Counter, Gauge, Registry } from "prom-client";
import type { Recorder } from "../recorder/recorder.js";
import { type Metric, metricsOf } from "./samples.js";

/** What a registry shows, and where. */
export interface RegistryOptions {
  /** Whose ledger, queue and spill are shown. @default none: containers and memory only */
  readonly recorder?: Recorder | undefined;
  /** Add to this registry. @default a new one */
  readonly registry?: Registry | undefined;
}

/** A registry with every metric; values are read when it is scraped. */
export function createMetricsRegistry(options: RegistryOptions = {}): Registry {
  const registry = options.registry ?? new Registry();
  for (const metric of metricsOf(options.recorder)) register(registry, metric);
  return registry;
}

function register(registry: Registry, { name, help, type, labelNames, read }: Metric): void {
  const settings = { name, help, labelNames: [...labelNames], registers: [registry] };
  if (type === "gauge") {
    new Gauge({
      ...settings,
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels, value);
      },
    });
  } else {
    new Counter({
      ...settings,
      collect() {
        // The count is kept elsewhere; a counter of prom-client can only be set by beginning anew.
        this.reset();
        for (const { labels, value } of read()) this.inc(labels, value);
      },
    });
  }
}
