/** Nodes of the levels above: made when the last of the sixteen nodes that one sums up is full. */
import { ROLLUP_FAN_OUT, ROLLUP_LEVELS_MAX, ROLLUP_NODE_ENTRIES } from "../limits.js";
import type { Reads } from "../store/reads/reads.js";
import type { NodeRow } from "../store/rollups.js";
import { decodeNode, encodeNode, Node } from "./node.js";

const ENTRIES_PER_CHILD = ROLLUP_NODE_ENTRIES / ROLLUP_FAN_OUT;

/** @param full nodes of level 1 that became full, and are not stored yet */
export async function upperNodes(reads: Reads, key: bigint, full: readonly NodeRow[]): Promise<NodeRow[]> {
  const uppers: NodeRow[] = [];
  let level = full;
  while (level.length > 0) {
    const above: NodeRow[] = [];
    for (const last of level) {
      if ((last.node + 1) % ROLLUP_FAN_OUT !== 0 || last.level === ROLLUP_LEVELS_MAX) continue;
      above.push(await above16(reads, key, last, level));
    }
    for (const row of above) uppers.push(row);
    level = above;
  }
  return uppers;
}

async function above16(reads: Reads, key: bigint, last: NodeRow, fresh: readonly NodeRow[]): Promise<NodeRow> {
  const { table, game, level } = last;
  const first = last.node + 1 - ROLLUP_FAN_OUT;
  const children = new Map<number, Uint8Array>();
  for (const row of fresh) {
    if (row.table === table && row.game === game && row.node >= first && row.node <= last.node) {
      children.set(row.node, row.body);
    }
  }
  // Those that are not stored yet are the newest ones.
  const stored = ROLLUP_FAN_OUT - children.size;
  if (stored > 0) {
    const rows = await reads.nodeRange(key, { table, game, level }, first, first + stored - 1);
    for (const { node, body } of rows) children.set(node, body);
  }
  const node = new Node(ROLLUP_NODE_ENTRIES);
  // Entries of children that have expired are there, and have no records.
  node.reach(ROLLUP_NODE_ENTRIES - 1);
  for (let child = 0; child < ROLLUP_FAN_OUT; child++) {
    const body = children.get(first + child);
    if (body === undefined) continue;
    const below = decodeNode(body);
    for (let at = 0; at < below.entries; at++) {
      node.mergeEntry(child * ENTRIES_PER_CHILD + Math.floor(at / ROLLUP_FAN_OUT), below, at);
    }
  }
  return { table, game, level: level + 1, node: first / ROLLUP_FAN_OUT, body: encodeNode(node) };
}
