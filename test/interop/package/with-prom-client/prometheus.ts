// Where prom-client is installed, the same metrics are one of its registries.
import assert from "node:assert/strict";
import { DatabaseBoundedList, metricsOf, openRecorder } from "@tailkeep/client";
import { createMetricsRegistry, type RegistryOptions } from "@tailkeep/client/prometheus";
import { Registry } from "prom-client";

const recorder = openRecorder({ sessionId: `prometheus-${process.versions.node}` });
const scores = new DatabaseBoundedList("score_history", { capacity: 10, recorder });
for (let score = 0; score < 100; score++) scores.append(score);
await scores.flush();

const options: RegistryOptions = { recorder, registry: new Registry() };
const registry = createMetricsRegistry(options);
await registry.metrics();
// A second look counts nothing twice.
const text = await registry.metrics();
assert.match(text, /^tailkeep_client_container_evictions_total\{container="score_history"\} 90$/m);
assert.match(text, /^tailkeep_client_records_durable_total 100$/m);
for (const { name } of metricsOf(recorder)) assert.ok(text.includes(`# TYPE ${name} `), name);
await recorder.close();
console.log(`done on ${process.versions.node}`);
