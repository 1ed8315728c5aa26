/** Whether a file is a sound store: every page, every index, and what the watermarks say beside what the tables have. */
import { DatabaseSync } from "node:sqlite";
import { TABLES } from "../record/tables.js";
import { MOVED_VERSION } from "../store/moved.js";
import { rowsTable, SCHEMA_VERSION, STORED_COLUMNS } from "../store/schema.js";

/** What a store holds. Expired records are counted in `stored` and are in no table any more. */
export interface Contents {
  readonly schemaVersion: number;
  readonly sessions: number;
  readonly streams: number;
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Last time a session was heard of, in microseconds since 1970; undefined where there is none. */
  readonly newestUs: number | undefined;
}

export interface Verified {
  readonly contents: Contents;
  /** What is wrong, in words; empty for a sound file. */
  readonly problems: readonly string[];
}

/** Problems named at the most: a torn file has one for each of its pages. */
const PROBLEMS_MAX = 20;

/** @throws Error where it is no store at all */
export function verifyStore(file: string): Verified {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const found = db.prepare(`PRAGMA integrity_check(${PROBLEMS_MAX})`).all();
    const problems = found.map((row) => String(Object.values(row)[0])).filter((text) => text !== "ok");
    // What is torn can hardly be counted.
    const contents = problems.length === 0 ? contentsOf(db) : { ...NOTHING, schemaVersion: 0 };
    if (problems.length === 0) problems.push(...countProblems(db, contents));
    return { contents, problems };
  } finally {
    db.close();
  }
}

const NOTHING = { sessions: 0, streams: 0, rows: {}, newestUs: undefined } as const;

/** @throws Error where the file is a database of something else */
export function contentsOf(db: DatabaseSync): Contents {
  const one = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0];
  const known = one("SELECT COUNT(*) FROM sqlite_master WHERE name IN ('schema_migrations', 'streams', 'sessions')");
  if (known !== 3) throw new Error("it is a database, but none of Tailkeep's");
  const newest = one("SELECT MAX(last_seen_at_us) FROM sessions");
  const rows = TABLES.map((table) => [table.name, Number(one(`SELECT COUNT(*) FROM ${rowsTable(table)}`))] as const);
  return {
    schemaVersion: Number(one("SELECT COALESCE(MAX(version), 0) FROM schema_migrations")),
    sessions: Number(one("SELECT COUNT(*) FROM sessions")),
    streams: Number(one("SELECT COUNT(*) FROM streams")),
    rows: Object.fromEntries(rows),
    newestUs: newest === null || newest === undefined ? undefined : Number(newest),
  };
}

function countProblems(db: DatabaseSync, { schemaVersion }: Contents): string[] {
  const problems: string[] = [];
  const count = (sql: string) => Number(Object.values(db.prepare(sql).get() ?? {})[0]);
  if (schemaVersion > SCHEMA_VERSION && schemaVersion !== MOVED_VERSION)
    problems.push(`it has schema ${schemaVersion}, this Tailkeep knows ${SCHEMA_VERSION}`);
  const uneven = count(
    `SELECT COUNT(*) FROM streams WHERE ${STORED_COLUMNS.join(" + ")} + rejected + gapped <> committed_seq`,
  );
  if (uneven > 0) problems.push(`the counts of ${uneven} streams do not add up to their watermark`);
  for (const table of TABLES) {
    const rows = rowsTable(table);
    // Rows of a session that is being deleted have no stream any more.
    const beyond = count(
      `SELECT COUNT(*) FROM streams s WHERE EXISTS
         (SELECT 1 FROM ${rows} r WHERE r.stream = s.stream AND r.seq > s.committed_seq)`,
    );
    if (beyond > 0) problems.push(`${beyond} streams have ${table.name} above their watermark`);
  }
  return problems;
}
