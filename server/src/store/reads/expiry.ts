/** What expiry has removed. */
import { EXPIRY_RUNS_KEPT } from "../../limits.js";
import type { ExpiryReport } from "../expiry.js";
import { run, type Source } from "./database.js";

export interface ExpiryRunRow {
  endedAtUs: number;
  report: ExpiryReport;
}

/** Newest first. */
export async function expiryRuns(source: Source): Promise<ExpiryRunRow[]> {
  const query = source.db
    .selectFrom("expiry_runs")
    .select(["ended_at_us", "report"])
    .orderBy("ended_at_us", "desc")
    .limit(EXPIRY_RUNS_KEPT);
  const rows = await run(source.execute, query);
  return rows.map((row) => ({ endedAtUs: Number(row.ended_at_us), report: JSON.parse(row.report) as ExpiryReport }));
}
