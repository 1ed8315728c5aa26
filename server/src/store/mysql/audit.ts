/** Looks at what makes a commit durable in MySQL and MariaDB. */
import type { Audit, AuditFinding } from "../store.js";
import type { Lanes } from "./lane.js";

const MAX_ALLOWED_PACKET_MIN = 16 * 1024 * 1024;

interface Check {
  variable: string;
  level: "warning" | "error";
  good(value: string, all: ReadonlyMap<string, string>): boolean;
  advice: string;
}

const CHECKS: readonly Check[] = [
  {
    variable: "innodb_flush_log_at_trx_commit",
    level: "error",
    good: (value) => value === "1",
    advice: "a power loss takes back up to a second of acked records; set it to 1",
  },
  {
    variable: "sync_binlog",
    level: "error",
    good: (value, all) => value === "1" || !["1", "ON"].includes(all.get("log_bin") ?? "0"),
    advice: "with the binary log on, recovery drops what it has not; set it to 1",
  },
  {
    variable: "innodb_doublewrite",
    level: "warning",
    good: (value) => !["0", "OFF"].includes(value),
    advice: "a page torn by a power loss cannot be repaired; set it to ON unless the disk writes 16 KiB atomically",
  },
  {
    variable: "max_allowed_packet",
    level: "warning",
    good: (value) => Number(value) >= MAX_ALLOWED_PACKET_MIN,
    advice: `large batches will be refused; set it to at least ${MAX_ALLOWED_PACKET_MIN}`,
  },
];

export async function auditMysql(lanes: Lanes): Promise<Audit> {
  return lanes.transaction(async (session) => {
    const names = [...CHECKS.map((check) => check.variable), "log_bin"];
    const rows = await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN ('${names.join("','")}')`);
    const values = new Map(rows.map((row) => [String(row["Variable_name"]), String(row["Value"])]));
    const [version] = await session.query("SELECT VERSION() AS version");
    const text = String(version?.["version"]);
    const findings = CHECKS.filter((check) => values.has(check.variable)).map((check): AuditFinding => {
      const found = values.get(check.variable) as string;
      const good = check.good(found, values);
      return { level: good ? "ok" : check.level, setting: check.variable, found, advice: good ? "" : check.advice };
    });
    const engine = /mariadb/i.test(text) ? `MariaDB ${text.split("-")[0]}` : `MySQL ${text}`;
    return { engine, durable: findings.every((each) => each.level !== "error"), findings };
  });
}
