/** State documents: one, or a page of them. */
import { sql } from "kysely";
import { PAGE_BYTES_MAX } from "../../limits.js";
import type { StateRow } from "../state.js";
import { run, type Source } from "./database.js";

export async function state(source: Source, namespace: string, name: string): Promise<StateRow | undefined> {
  const query = source.db
    .selectFrom("states")
    .selectAll()
    .where("namespace_id", "=", namespace)
    .where("name", "=", name);
  const [row] = await run(source.execute, query);
  return row === undefined ? undefined : stateRow(row);
}

/** Documents by name after `afterName`; values only if asked, and then at most PAGE_BYTES_MAX of them. */
export async function listStates(
  source: Source,
  namespace: string,
  prefix: string,
  afterName: string,
  limit: number,
  values: boolean,
): Promise<StateRow[]> {
  let query = source.db
    .selectFrom("states")
    .select(["name", "version", "updated_at_us", sql<number>`octet_length(value)`.as("bytes")])
    .where("namespace_id", "=", namespace)
    .where("name", ">", afterName);
  if (prefix !== "") {
    // A range, not LIKE: it uses the key and needs no escaping. U+10FFFF sorts after every other character.
    query = query.where("name", ">=", prefix).where("name", "<", `${prefix}\u{10ffff}`);
    // MySQL pads when it compares: "a" is not below "a ". A name has no blank at its end, so it equals only that one.
    if (prefix.endsWith(" ")) query = query.where("name", "!=", prefix);
  }
  const found = await run(source.execute, query.orderBy("name").limit(limit));
  const rows: StateRow[] = [];
  let bytes = 0;
  for (const each of found) {
    bytes += Number(each.bytes);
    if (values && rows.length > 0 && bytes > PAGE_BYTES_MAX) break;
    const whole = values ? await state(source, namespace, each.name) : undefined;
    if (values && whole === undefined) continue;
    rows.push(whole ?? stateRow({ ...each, value: "" }));
  }
  const last = found.at(-1);
  // All of them were deleted between the two questions; what comes after them is there.
  if (rows.length === 0 && last !== undefined) return listStates(source, namespace, prefix, last.name, limit, values);
  return rows;
}

function stateRow(row: { name: string; value: string; version: number; updated_at_us: number }): StateRow {
  return {
    name: row.name,
    valueJson: row.value,
    version: Number(row.version),
    updatedAtUs: Number(row.updated_at_us),
  };
}
