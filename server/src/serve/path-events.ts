/** What happens on the path of a record: what the log says of it, what is counted, and who else is told. */
import type { Logger } from "pino";
import type { Metrics } from "../http/metrics.js";
import type { IngestPathEvents } from "../ingest-path.js";
import type { Roller } from "../series/index.js";
import type { Audit } from "../store/store.js";
import type { Traffic } from "../web/live/traffic.js";

export interface PathListeners {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly traffic: Traffic;
  /** Undefined where charts are not summed up. */
  readonly roller: Roller | undefined;
  storeUp(): void;
  storeDown(): void;
  /** Whether rows may not expire now. */
  expiryHeld(isHeld: boolean): void;
}

export function pathEvents({ log, metrics, traffic, roller, ...told }: PathListeners): IngestPathEvents {
  return {
    committed: (stored, rejected, session) => {
      let [rows, gapped] = [0, 0];
      for (const batch of stored) {
        rows += batch.rowCount;
        for (const gap of batch.gaps) gapped += gap.lastSeq - gap.firstSeq + 1;
      }
      metrics.committedRecords.inc(rows);
      if (gapped > 0) metrics.gappedRecords.inc(gapped);
      if (rejected > 0) metrics.rejectedRecords.inc(rejected);
      traffic.committed(session, { stored: rows, rejected, gapped });
    },
    published: (...commit) => roller?.committed(...commit),
    opened: (...stream) => {
      roller?.opened(...stream);
      traffic.opened(stream[0]);
    },
    transaction: (ms) => metrics.commitSeconds.observe(ms / 1_000),
    retrying: (error, attempt) => {
      metrics.commitRetries.inc();
      log.debug({ kind: error.kind, code: error.code, attempt }, `transaction is repeated: ${error.message}`);
    },
    regressed: (stream, range) => {
      metrics.regressions.inc();
      log.error({ ...stream, ...range }, "the database had forgotten acked records; stored as a gap");
    },
    broken: (stream, cause) => {
      metrics.brokenStreams.inc();
      log.fatal({ ...stream, cause }, "a stream was stopped by a broken invariant; this is a bug");
    },
    watchersWait: (error) => log.warn({ err: error }, "watchers wait for the store"),
    storeUp: (audit) => {
      roller?.forgetAll();
      told.storeUp();
      sayAudit(log, audit);
    },
    storeDown: (error) => {
      told.storeDown();
      log.error({ kind: error.kind, code: error.code }, `store does not answer, trying again: ${error.message}`);
    },
    maintenanceFailed: (error) =>
      log.warn({ kind: error.kind, code: error.code }, `maintenance failed, and is tried again: ${error.message}`),
    expired: ({ heldBecause, storingDay, tables }) => {
      told.expiryHeld(heldBecause !== undefined);
      if (heldBecause !== undefined) {
        log.warn(heldBecause);
        return;
      }
      for (const { rows } of tables) metrics.expiredRows.inc(rows);
      if (tables.length > 0) log.info({ storingDay, tables }, "expired rows were removed");
    },
  };
}

function sayAudit(log: Logger, { engine, durable, findings }: Audit): void {
  log.info({ engine, durable }, "store is ready");
  for (const { setting, found, level, advice } of findings) {
    if (level !== "ok") log.warn({ setting, found }, `acked records are at risk: ${advice}`);
  }
}
