/**
 * Which rows of a database were imported before. The server's ledger is the memory: each batch is a stream of its own,
 * whose name says which table it is from, the first and the last row id in it, and what these two rows were.
 *
 * A batch found on the server is of this database when one of its two rows is in the file with that content. So a file
 * that was moved, copied, or that has grown since is known again, rows that the earlier system has deleted do no harm,
 * and another database with the same sessions and ids is another one.
 */
import { createHash } from "node:crypto";
import type { RecordTypeName } from "@tailkeep/client";
import type { LegacyRow } from "./legacy-tables.js";

export interface ImportedRange {
  readonly table: string;
  readonly firstId: bigint;
  readonly lastId: bigint;
  readonly firstHash: string;
  readonly lastHash: string;
}

export function streamIdOfRange(range: ImportedRange): string {
  const { table, firstId, lastId, firstHash, lastHash } = range;
  return `import-rows-${table}-${firstId}-${lastId}-${firstHash}-${lastHash}`;
}

const NAME = /^import-rows-([a-z_]+)-(\d+)-(\d+)-([0-9a-f]{16})-([0-9a-f]{16})$/;

/** Undefined for a stream that is none of such a batch. */
export function rangeOfStreamId(streamId: string): ImportedRange | undefined {
  const [, table, first, last, firstHash, lastHash] = NAME.exec(streamId) ?? [];
  if (table === undefined || first === undefined || last === undefined) return undefined;
  if (firstHash === undefined || lastHash === undefined) return undefined;
  return { table, firstId: BigInt(first), lastId: BigInt(last), firstHash, lastHash };
}

export function rowHash(table: RecordTypeName, id: bigint, row: LegacyRow): string {
  const cells = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([table, String(id), cells], (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
