// What the server's own reader would refuse of items, encoded as the client encodes them.
import { OpenBatch } from "../../../client/src/encode/open-batch.js";
import type { ImportItem } from "../../../server/src/import/index.js";
import { decodeBatch } from "../../../server/src/record/decode.js";

export function refusals(items: Iterable<ImportItem>): string[] {
  const refused: string[] = [];
  for (const { streamId, records } of items) {
    const open = new OpenBatch();
    for (const record of records) if (open.append(record) >= 0) refused.push(`${streamId} is more than a batch`);
    const bytes = open.seal(1).recordBatch();
    const batch = decodeBatch(bytes, 0, bytes.length, 0);
    refused.push(...batch.rejected.map(({ field, message }) => `${streamId}: ${field} ${message}`));
    if (batch.lastSeq !== records.length) refused.push(`${streamId} has ${batch.lastSeq} of ${records.length}`);
  }
  return refused;
}
