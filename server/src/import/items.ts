/** A source item, and how it becomes one or more streams of at most one batch each. */
import type { TrainingRecord } from "@tailkeep/client";
import { fitJson } from "./fit-json.js";
import { cleanId, type ItemKind, streamIdOf } from "./identity.js";
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, ID_CHARS_MAX, JSON_BYTES_MAX, JSON_DEPTH_MAX } from "./limits.js";
import type { Json } from "./salvage-json.js";

export interface ImportItem {
  readonly kind: ItemKind;
  readonly sessionId: string;
  readonly streamId: string;
  readonly records: readonly TrainingRecord[];
}

/** Called with what a limit made the import leave out. */
export type Note = (text: string) => void;

export interface ItemSource {
  readonly kind: ItemKind;
  readonly session: string;
  /** The game, where the item belongs to one. */
  readonly game?: string;
  readonly time: Json | undefined;
  readonly content: Json;
}

/** Half the hard limit: what is measured is JSON text, which is near the encoded size but not the same. */
const ITEM_BYTES_MAX = BATCH_BYTES_MAX / 2;

/**
 * A stream must become durable in one transaction, so that one that exists is complete: then an item that another file
 * has with more detail can never be appended to half of this one. An item too large for that becomes several streams,
 * always cut at the same places.
 */
export function makeItems(source: ItemSource, records: readonly TrainingRecord[]): ImportItem[] {
  const sessionId = cleanId(source.session);
  const streamId = streamIdOf(source.kind, sessionId, source.game ?? "", source.time ?? contentText(source.content));
  return batchesOf(records).map((batch, index) => ({
    kind: source.kind,
    sessionId,
    streamId: index === 0 ? streamId : `${streamId}-${index + 1}`,
    records: batch,
  }));
}

/** Nesting is pruned first: JSON.stringify recurses, and a file may nest a million levels. */
function contentText(content: Json): string {
  return JSON.stringify(fitJson(content, { bytesMax: Number.POSITIVE_INFINITY, depthMax: JSON_DEPTH_MAX }).value);
}

function batchesOf(records: readonly TrainingRecord[]): TrainingRecord[][] {
  const batches: TrainingRecord[][] = [];
  let batch: TrainingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const recordBytes = Buffer.byteLength(JSON.stringify(record));
    if (batch.length > 0 && (bytes + recordBytes > ITEM_BYTES_MAX || batch.length === BATCH_ENTRIES_MAX)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(record);
    bytes += recordBytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** A value for one JSON field of a record. */
export function jsonField(value: Json, what: string, note: Note): Json {
  const fitted = fitJson(value, { bytesMax: JSON_BYTES_MAX, depthMax: JSON_DEPTH_MAX });
  for (const path of fitted.leftOut)
    note(`${what}: left out ${path}, beyond ${JSON_BYTES_MAX} bytes or ${JSON_DEPTH_MAX} levels`);
  return fitted.value;
}

/** A short text column; undefined stays undefined. */
export function shortText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : cleanId(text, ID_CHARS_MAX);
}
