/** The table that the benchmark prints: one row a claim, each with its yardstick, its ratio and what it must be. */

export interface Claim {
  name: string;
  store: string;
  ours: string;
  yardstick: string;
  /** What is compared with the bound. */
  value: number;
  bound: string;
  holds: boolean;
}

export function printTable(claims: readonly Claim[]): void {
  const head = ["claim", "store", "tailkeep", "yardstick", "ratio", "must be", ""];
  const rows = claims.map((claim) => [
    claim.name,
    claim.store,
    claim.ours,
    claim.yardstick,
    claim.value.toFixed(2),
    claim.bound,
    claim.holds ? "holds" : "FALLS SHORT",
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  console.log(line(head));
  console.log(`| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  for (const row of rows) console.log(line(row));
}

export function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString("en")}/s`;
}

export function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
