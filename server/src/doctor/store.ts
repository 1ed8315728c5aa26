/** Whether the store answers, keeps what it commits, and agrees with this machine on the time. */
import { withoutSecrets } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { STORING_DAY_CATCH_UP_DAYS_MAX } from "../limits.js";
import { dayNumber, dayOfMs } from "../record/time.js";
import { StoreError } from "../store/errors.js";
import type { Inspection } from "../store/inspection.js";
import { MOVED_VERSION } from "../store/moved.js";
import { inspectStore } from "../store/open-store.js";
import { SCHEMA_VERSION } from "../store/schema.js";
import { error, type Finding, ok, warning } from "./finding.js";
import { httpHealth } from "./health.js";

/** Event times of records that a server stamps are off by as much; a network's own delay is well below. */
const CLOCK_OFF_MS_MAX = 2_000;
const DAY_MS = 86_400_000;

type Inspected = Extract<Inspection, { kind: "inspected" }>;

export async function checkStore(config: Config): Promise<Finding[]> {
  const { store } = withoutSecrets(config);
  let found: Inspection;
  try {
    found = await inspectStore(config.store);
  } catch (thrown) {
    return [unreadable(store, thrown)];
  }
  switch (found.kind) {
    case "absent":
      return [ok("store", `${found.where} is not there yet; the first start makes it`)];
    case "held":
      return [await askHolder(found.where, config)];
    case "inspected":
      return [
        ok("store", `${found.engine} answers at ${store}`),
        schemaFinding(found),
        ...found.findings.map(({ level, setting, found: value, advice }): Finding => {
          const message = `${setting} is ${value}`;
          return level === "ok" ? ok("durability", message) : { check: "durability", level, message, remedy: advice };
        }),
        ...clockFindings(found),
      ];
  }
}

function unreadable(store: string, thrown: unknown): Finding {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (!(thrown instanceof StoreError)) return error("store", `${store}: ${message}`, "correct TAILKEEP_STORE");
  const remedy =
    thrown.kind === "unavailable"
      ? "start the database, or correct TAILKEEP_STORE; a running server keeps trying"
      : thrown.kind === "misconfigured"
        ? "correct the account, the database or the file that TAILKEEP_STORE names"
        : "see the database's own log";
  return error("store", `${store} cannot be read (${thrown.code}): ${message || thrown.code}`, remedy);
}

/** A server that has the file to itself knows more of it than can be read beside it. */
async function askHolder(file: string, { httpAddr, tlsCert }: Config): Promise<Finding> {
  const answer = await httpHealth(httpAddr, tlsCert !== "");
  if (answer?.version === undefined) {
    return warning(
      "store",
      `a running server has ${file} open, and none answers at ${httpAddr}`,
      "run doctor with that server's settings, so that it can be asked",
    );
  }
  if (!answer.isReady) {
    return error("store", `the server that has ${file} open is not ready: ${answer.said}`, "see that server's log");
  }
  return ok("store", `a running server has ${file} open and says: ${answer.said}`);
}

function schemaFinding({ schemaVersion }: Inspected): Finding {
  if (schemaVersion === 0) return ok("schema", "none yet; the first start makes it");
  if (schemaVersion === MOVED_VERSION) {
    const remedy = "run tailkeep migrate again if it has not finished; else name the new store with TAILKEEP_STORE";
    return error("schema", "no server takes this store: tailkeep migrate fills it, or has moved it away", remedy);
  }
  if (schemaVersion > SCHEMA_VERSION) {
    const message = `is ${schemaVersion}, this Tailkeep knows ${SCHEMA_VERSION}`;
    return error("schema", message, "run the newer Tailkeep that made it");
  }
  const migrates = schemaVersion < SCHEMA_VERSION ? `; the next start brings it to ${SCHEMA_VERSION}` : "";
  return ok("schema", `is ${schemaVersion}${migrates}`);
}

function clockFindings({ clockAheadMs, storingDay }: Inspected): Finding[] {
  const findings: Finding[] = [];
  if (clockAheadMs !== undefined) {
    const apart = `${(Math.abs(clockAheadMs) / 1_000).toFixed(1)} s ${clockAheadMs < 0 ? "behind" : "ahead of"} this machine's`;
    if (Math.abs(clockAheadMs) <= CLOCK_OFF_MS_MAX) findings.push(ok("clock", "database and machine agree"));
    else {
      const level = Math.abs(clockAheadMs) > DAY_MS ? error : warning;
      findings.push(level("clock", `the database's clock is ${apart}`, "synchronise both with the same time servers"));
    }
  }
  if (storingDay !== undefined) {
    const daysAhead = dayNumber(storingDay) - dayOfMs(Date.now());
    if (-daysAhead > STORING_DAY_CATCH_UP_DAYS_MAX) {
      const message = `the storing day is ${storingDay}, ${-daysAhead} days behind this machine's clock: nothing expires`;
      findings.push(
        warning("clock", message, "once a server runs: tailkeep retention --confirm-day, with today's date"),
      );
    } else if (daysAhead > 0) {
      const message = `rows are stored under ${storingDay}, ${daysAhead} days ahead of this machine's clock`;
      findings.push(
        warning("clock", message, "set the machine's clock, or where it is right: tailkeep retention --confirm-day"),
      );
    } else findings.push(ok("storing day", storingDay));
  }
  return findings;
}
