/** The central configuration: the change that holds, or a page of the changes before it. */
import type { ConfigRow } from "../config.js";
import { run, type Source } from "./database.js";

export async function newestConfig(source: Source): Promise<ConfigRow | undefined> {
  return (await listConfigChanges(source, undefined, 1))[0];
}

/** Newest first, from the one before `beforeVersion`. */
export async function listConfigChanges(
  source: Source,
  beforeVersion: number | undefined,
  limit: number,
): Promise<ConfigRow[]> {
  let query = source.db.selectFrom("config_changes").selectAll().orderBy("version", "desc").limit(limit);
  if (beforeVersion !== undefined) query = query.where("version", "<", beforeVersion);
  const rows = await run(source.execute, query);
  return rows.map((row) => ({
    version: Number(row.version),
    createdAtUs: Number(row.created_at_us),
    author: row.author,
    comment: row.comment,
    changesJson: row.changes,
    overridesJson: row.overrides,
  }));
}
