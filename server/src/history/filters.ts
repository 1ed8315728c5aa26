/** Reads the filters that several questions share. */
import type { RecordType } from "@tailkeep/proto";
import { ID_CHARS_MAX, SHORT_TEXT_CHARS_MAX } from "../limits.js";
import { TABLES, tableAt, tableOfType, type Value } from "../record/tables.js";
import { idProblem, shortTextProblem } from "../record/text.js";
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

const INT32_MAX = 2 ** 31 - 1;

/** Values of the key's columns, or undefined for an empty key. @throws RpcError */
export function keyValues(
  key: string,
  sessionId: string | undefined,
  tables: readonly number[],
): readonly Value[] | undefined {
  if (key === "") return undefined;
  if (sessionId === undefined) throw badField("key", "needs session_id; set it, keys are found within a session");
  const [index] = tables;
  if (index === undefined || tables.length > 1) {
    throw badField("key", `needs exactly one type and there are ${tables.length}; name one in types`);
  }
  const columns = tableAt(index).key;
  if (columns.length > 1) return pairOfIntegers(key);
  const isId = columns[0]?.kind === "id";
  const problem = isId ? idProblem(key, ID_CHARS_MAX) : shortTextProblem(key, SHORT_TEXT_CHARS_MAX);
  if (problem !== undefined) throw badField("key", problem);
  return [key];
}

function pairOfIntegers(key: string): number[] {
  const pair = /^(-?\d{1,10}),(-?\d{1,10})$/.exec(key)?.slice(1).map(Number);
  if (pair?.every((each) => each >= -INT32_MAX - 1 && each <= INT32_MAX)) return pair.map((each) => each + 0);
  throw badField("key", 'is no coordinate; write it as "x,y", two 32-bit integers such as "3,-4"');
}
