/** GetRetention: how long records are kept, what would go now, and what went. */
import type { ExpiredRows, GetRetentionResponse } from "@tailkeep/proto";
import { TABLES } from "../record/tables.js";
import { RpcError } from "../rpc/errors.js";
import type { ExpiredTable } from "../store/expiry.js";
import { PINNED } from "../store/pins.js";
import { daysInNamespace } from "../store/retention.js";
import type { Store } from "../store/store.js";

export async function getRetention(store: Store, namespace: string): Promise<GetRetentionResponse> {
  const [due, runs, pins] = await Promise.all([
    store.expire({ dryRun: true }),
    store.reads.expiryRuns(),
    store.reads.pins(),
  ]);
  if (due === undefined) throw new RpcError("INTERNAL", "a dry run needs no lease, and was refused one");
  const daysOfTypes = daysInNamespace(store.retention, namespace);
  return {
    storingDay: due.storingDay,
    types: TABLES.map((table) => ({ type: table.type, days: daysOfTypes[table.index] as number })),
    heldBecause: due.heldBecause ?? "",
    due: due.tables.map(rowsMessage),
    runs: runs.map(({ endedAtUs, report }) => ({
      endedAtUs: BigInt(endedAtUs),
      storingDay: report.storingDay,
      removed: report.tables.map(rowsMessage),
    })),
    pinnedSessions: BigInt(pins.filter(({ state }) => state === PINNED).length),
  };
}

function rowsMessage({ table, rows }: ExpiredTable): ExpiredRows {
  return { table, rows: BigInt(rows) };
}
