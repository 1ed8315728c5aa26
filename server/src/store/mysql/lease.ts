/**
 * Leases: a row that says who may change the schema until when. Not GET_LOCK, which Galera lacks.
 * Time is the database's own, so that the hosts' clocks do not matter.
 */
import type { Lanes } from "./lane.js";
import { textLiteral } from "./literal.js";

const NOW_US = "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";

/** Takes or renews a lease; false where another holder has it. */
export async function takeLease(lanes: Lanes, name: string, holder: string, ms: number): Promise<boolean> {
  return lanes.transaction(async (session) => {
    const until = `${NOW_US} + ${ms * 1_000}`;
    await session.query(
      `INSERT INTO leases (name, holder, expires_at_us) VALUES (${textLiteral(name)}, ${textLiteral(holder)}, ${until})
       ON DUPLICATE KEY UPDATE
         expires_at_us = IF(holder = VALUES(holder) OR expires_at_us < ${NOW_US}, VALUES(expires_at_us), expires_at_us),
         holder = IF(expires_at_us = VALUES(expires_at_us), VALUES(holder), holder)`,
    );
    const [row] = await session.query(`SELECT holder FROM leases WHERE name = ${textLiteral(name)}`);
    return row?.["holder"] === holder;
  });
}

export async function releaseLease(lanes: Lanes, name: string, holder: string): Promise<void> {
  await lanes.transaction(async (session) => {
    await session.query(`DELETE FROM leases WHERE name = ${textLiteral(name)} AND holder = ${textLiteral(holder)}`);
  });
}
