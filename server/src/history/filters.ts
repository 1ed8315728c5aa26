/** Reads the filters that several questions share. */
import type { RecordType } from "@tailkeep/proto";
import { TABLES, tableOfType } from "../record/tables.js";
import { badField } from "../rpc/errors.js";

/** Indexes of the tables of `types`, rising; all six for none. @throws RpcError */
export function tablesOf(types: readonly RecordType[]): number[] {
  if (types.length === 0) return TABLES.map((table) => table.index);
  const indexes = new Set<number>();
  for (const [at, type] of types.entries()) {
    const table = tableOfType(type);
    if (table === undefined)
      throw badField(`types[${at}]`, `${type} is not a record type; use 2 to 7, or leave types empty`);
    indexes.add(table.index);
  }
  return [...indexes].sort((a, b) => a - b);
}

/** A time in microseconds as a number. @throws RpcError */
export function optionalTime(field: string, us: bigint | undefined): number | undefined {
  if (us === undefined) return undefined;
  const time = Number(us);
  if (!Number.isSafeInteger(time)) throw badField(field, "is out of range; send microseconds since 1970");
  return time;
}
