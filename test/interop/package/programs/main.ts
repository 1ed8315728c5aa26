// Uses everything that the package exports, as a user's program would, and stops at the first thing that is not so.
// Compiled in a user's project; run on each Node. Prints one line for each part.
import { containers } from "./containers.js";
import { documents } from "./documents.js";
import { errors } from "./errors.js";
import { guarding } from "./guarding.js";
import { metrics } from "./metrics.js";
import { queries } from "./queries.js";
import { recording } from "./recording.js";
import { streams } from "./streams.js";

for (const part of [containers, recording, queries, streams, documents, guarding, metrics, errors]) {
  await part();
  console.log(`${part.name}: as promised`);
}
console.log(`done on ${process.versions.node}`);
