import assert from "node:assert/strict";
import { BoundedList, metricsOf, metricsText, openRecorder, readContainers, trackContainer } from "@tailkeep/client";

export async function metrics(): Promise<void> {
  const own = new BoundedList<number>({ capacity: 3 });
  own.extend([1, 2, 3, 4]);
  trackContainer("of the trainer", own);
  const reading = readContainers().find(({ name }) => name === "of the trainer");
  assert.equal(reading?.items, 3);
  assert.equal(reading?.evictions, 1);

  await using recorder = openRecorder({ spill: false });
  const text = metricsText(recorder);
  assert.match(text, /^tailkeep_client_container_items\{container="of the trainer"\} 3$/m);
  for (const metric of metricsOf(recorder))
    assert.ok(text.includes(`# TYPE ${metric.name} ${metric.type}\n`), metric.name);
}
