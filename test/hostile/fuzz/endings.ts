import { status } from "@grpc/grpc-js";

/** How calls ended, by row of the report: `OK`, `INVALID_ARGUMENT`, ... */
export type Endings = ReadonlyMap<string, ReadonlyMap<string, number>>;

export class EndingCounts {
  readonly rows = new Map<string, Map<string, number>>();

  add(row: string, code: status): void {
    const counts = this.rows.get(row) ?? new Map<string, number>();
    this.rows.set(row, counts.set(status[code], (counts.get(status[code]) ?? 0) + 1));
  }
}
