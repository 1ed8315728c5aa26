/** GetRetention: how long records are kept, what would go now, and what went. ConfirmStoringDay: which day it is. */
import type {
  ConfirmStoringDayRequest,
  ConfirmStoringDayResponse,
  ExpiredRows,
  GetRetentionResponse,
} from "@tailkeep/proto";
import { TABLES } from "../record/tables.js";
import { dayNumber, dayText } from "../record/time.js";
import { badField, RpcError } from "../rpc/errors.js";
import { agreeOn, type ExpiredTable } from "../store/expiry.js";
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

export async function confirmStoringDay(
  store: Store,
  request: ConfirmStoringDayRequest,
): Promise<ConfirmStoringDayResponse> {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(request.day) ? dayNumber(request.day) : Number.NaN;
  if (Number.isNaN(day) || dayText(day) !== request.day) {
    throw badField("day", `${JSON.stringify(request.day)} is no day; say today's, as 2026-11-22`);
  }
  const days = await store.confirmStoringDay(day);
  if (!agreeOn(day, days)) {
    throw new RpcError(
      "CLOCKS_APART",
      `day: ${request.day} is more than a day from a clock: this host's says ${dayText(days.host)}, the database's ` +
        `${dayText(days.database)}; set the clocks right, or ask through a server whose clock is`,
    );
  }
  return { storingDay: dayText(days.storing) };
}
