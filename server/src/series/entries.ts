/** Entries of nodes as pieces of an answer. */
import { merged, type Piece } from "./buckets.js";
import type { Found } from "./candidates.js";
import type { Node } from "./node.js";
import type { SeriesQuestion, XAxis } from "./question.js";

function xOf(node: Node, axis: XAxis, at: number): { first: number; last: number; count: number } {
  const records = node.records[at] as number;
  if (axis === "time") return { first: node.timeMin[at] as number, last: node.timeMax[at] as number, count: records };
  if (axis === "seq") return { first: node.firstSeq[at] as number, last: node.lastSeq[at] as number, count: records };
  const stats = node.series.get(axis.name);
  if (stats === undefined) return { first: 0, last: 0, count: 0 };
  return { first: stats.min[at] as number, last: stats.max[at] as number, count: stats.count[at] as number };
}

/** What an entry comes to; undefined where it has no value, or no x. */
export function foundAt(node: Node, at: number, question: SeriesQuestion): Found | undefined {
  const y = node.series.get(question.y.name);
  const count = y?.count[at] ?? 0;
  if (y === undefined || count === 0) return undefined;
  const x = xOf(node, question.x, at);
  if (x.count === 0) return undefined;
  const piece = {
    xFirst: x.first,
    xLast: x.last,
    min: y.min[at] as number,
    max: y.max[at] as number,
    sum: y.sum[at] as number,
    count,
  };
  return { piece, isCertain: x.count === node.records[at] };
}

/** All entries as one, of which it is true what is true of each. */
export function foundInAll(node: Node, question: SeriesQuestion): Found | undefined {
  let piece: Piece | undefined;
  let isCertain = true;
  for (let at = 0; at < node.entries; at++) {
    const found = foundAt(node, at, question);
    if (found === undefined) continue;
    piece = merged(piece, found.piece);
    isCertain &&= found.isCertain;
  }
  return piece === undefined ? undefined : { piece, isCertain };
}
