import type { FuzzResult } from "./campaign.js";
import type { Endings } from "./endings.js";

const mib = (bytes: number) => `${Math.round(bytes / 1_048_576)} MiB`;

/** Methods in rows, statuses in columns. */
export function endingsTable(endings: Endings): string {
  const statuses = [...new Set([...endings.values()].flatMap((counts) => [...counts.keys()]))].sort();
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    row(["method", ...statuses]),
    row(["---", ...statuses.map(() => "---:")]),
    ...[...endings]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([method, counts]) => row([method, ...statuses.map((each) => counts.get(each) ?? 0)])),
  ].join("\n");
}

/** The result as a table, and what was wrong. */
export function report(result: FuzzResult, engine: string, seconds: number): string {
  const { start, peak, end } = result.residentBytes;
  return [
    `${result.sent} inputs on ${engine} in ${seconds.toFixed(0)} s`,
    "",
    endingsTable(result.endings),
    "",
    `resident memory: ${mib(start)} at the start, ${mib(peak)} at its highest, ${mib(end)} at the end`,
    `restarts: ${result.restarts}; the neighbour's records acked and stored once: ${result.neighbourAcked}`,
    `good batches under hostile names, stored and read back equal: ${result.faithfulWritten}`,
    `violations: ${result.violations.length}`,
    ...result.violations.map((each) => `- ${each}`),
  ].join("\n");
}
