/**
 * The schema, for both dialects from one description.
 *
 * Each of the six types has a table `<type>_rows` and a view `<type>`. The view has the earlier system's columns in
 * their order (then ours), for the namespace `default`: `WHERE session_id = ? ORDER BY timestamp DESC LIMIT 20`, as
 * that system's users write it, becomes a range of the index (namespace_id, session_id, timestamp). An index without
 * the namespace in front would let one namespace slow down another that uses the same session or game id.
 */
import { PARTITIONS_AHEAD_DAYS, RETENTION_DAYS_DEFAULT } from "../limits.js";
import { type ColumnKind, TABLES, type Table, type TableName } from "../record/tables.js";
import { dayText } from "../record/time.js";
import { keyIndex, keyIndexColumns, keyIndexStatements } from "./key-index.js";

export type Dialect = "mysql" | "sqlite";

export const DEFAULT_NAMESPACE = "default";

/** The day that never comes: rows of pinned sessions. */
export const NEVER_EXPIRES_ON = "9999-12-31";

/** The earlier system's columns, in its order, between `id` and `created_at`. */
const LEGACY_COLUMNS: Record<TableName, readonly string[]> = {
  performance_history: ["session_id", "game_id", "score", "win_rate", "learning_efficiency", "timestamp", "metadata"],
  session_history: [
    "session_id",
    "game_id",
    "status",
    "duration_seconds",
    "actions_taken",
    "score",
    "win",
    "timestamp",
    "metadata",
  ],
  action_tracking: ["game_id", "action_type", "action_sequence", "effectiveness", "context", "timestamp"],
  score_history: ["game_id", "session_id", "score", "score_type", "timestamp"],
  coordinate_tracking: ["game_id", "coordinate_x", "coordinate_y", "action_type", "success", "context", "timestamp"],
  frame_tracking: ["game_id", "frame_hash", "frame_analysis", "stagnation_detected", "timestamp"],
};

export function rowsTable(table: Table): string {
  return `${table.name}_rows`;
}

/** Columns of a rows table that are written, in the order that both stores write them. */
export function writtenColumns(table: Table): string[] {
  return [
    "stream",
    "seq",
    "namespace_id",
    "session_id",
    ...table.columns.map((column) => column.name),
    "timestamp",
    "nonfinite",
    "created_at",
    "expires_on",
  ];
}

/** Columns of `streams` that count stored records, by table index. */
export const STORED_COLUMNS: readonly string[] = TABLES.map((table) => `stored_${table.name}`);

interface Types extends Record<ColumnKind, string> {
  key: string;
  integer: string;
  time: string;
  day: string;
  blob: string;
  longText: string;
}

const TYPES: Record<Dialect, Types> = {
  mysql: {
    key: "BIGINT NOT NULL",
    integer: "BIGINT",
    time: "DATETIME(6)",
    day: "DATE",
    blob: "MEDIUMBLOB",
    longText: "MEDIUMTEXT",
    id: "VARCHAR(128)",
    text: "VARCHAR(128)",
    json: "MEDIUMTEXT",
    double: "DOUBLE",
    int32: "INT",
    int64: "BIGINT",
    bool: "TINYINT(1)",
  },
  sqlite: {
    key: "INTEGER NOT NULL",
    integer: "INTEGER",
    // Text sorts as time does, and the earlier system's users compare it with text.
    time: "TEXT",
    day: "TEXT",
    blob: "BLOB",
    longText: "TEXT",
    id: "TEXT",
    text: "TEXT",
    json: "TEXT",
    double: "REAL",
    int32: "INTEGER",
    int64: "INTEGER",
    bool: "INTEGER",
  },
};

/** First and last expiry day that get a partition of their own at `storingDay`, both as days since 1970. */
export function partitionDays(storingDay: number, retentionDaysMax: number): { first: number; last: number } {
  return { first: storingDay, last: storingDay + retentionDaysMax + PARTITIONS_AHEAD_DAYS };
}

/** Name of the partition of rows that expire on a day. */
export function partitionName(day: number): string {
  return `p${dayText(day).replaceAll("-", "")}`;
}

/** `PARTITION p20261123 VALUES LESS THAN ('2026-11-24')`: a partition's bound is the next day. */
export function partitionClause(day: number): string {
  return `PARTITION ${partitionName(day)} VALUES LESS THAN ('${dayText(day + 1)}')`;
}

/** `ahead` is empty unless maintenance missed a week; it is the one that is split. `never` holds what does not expire. */
export const LAST_PARTITIONS = [
  `PARTITION ahead VALUES LESS THAN ('${NEVER_EXPIRES_ON}')`,
  "PARTITION never VALUES LESS THAN (MAXVALUE)",
];

function rowsTableStatements(dialect: Dialect, table: Table, storingDay: number): string[] {
  const types = TYPES[dialect];
  const name = rowsTable(table);
  const own = table.columns.map((column) =>
    column.kind === "id" ? `${column.name} ${types.id} NOT NULL` : `${column.name} ${types[column.kind]}`,
  );
  const columns = [
    ...(dialect === "sqlite" ? ["id INTEGER PRIMARY KEY"] : []),
    `stream ${types.key}`,
    `seq ${types.integer} NOT NULL`,
    `namespace_id ${types.id} NOT NULL`,
    `session_id ${types.id} NOT NULL`,
    ...own,
    `timestamp ${types.time} NOT NULL`,
    `nonfinite ${types.longText}`,
    `created_at ${types.time} NOT NULL`,
    `expires_on ${types.day} NOT NULL`,
  ];
  // (stream, seq) is named in both indexes, so that a page needs no sorting, however many records have the same time.
  // InnoDB has the primary key at the end of every index anyway, but does not order a partitioned table by it.
  const bySession = `${name}_by_session`;
  const byGame = `${name}_by_game`;
  if (dialect === "mysql") {
    // The key index belongs to version 3, which adds it to tables that have none: making it afterwards for 68 partitions
    // each would take as long as everything else of a first start together.
    const { first, last } = partitionDays(storingDay, RETENTION_DAYS_DEFAULT);
    const days = Array.from({ length: last - first + 1 }, (_, index) => partitionClause(first + index));
    return [
      `CREATE TABLE IF NOT EXISTS ${name} (
        ${columns.join(",\n        ")},
        PRIMARY KEY (stream, seq, expires_on),
        KEY ${bySession} (namespace_id, session_id, timestamp, stream, seq),
        KEY ${byGame} (namespace_id, game_id, timestamp, stream, seq),
        KEY ${keyIndex(table.name)} (${keyIndexColumns(table)})
      ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
      PARTITION BY RANGE COLUMNS(expires_on) (${[...days, ...LAST_PARTITIONS].join(", ")})`,
    ];
  }
  return [
    // A rowid table: `id` rises in commit order, as it did in the earlier system.
    `CREATE TABLE IF NOT EXISTS ${name} (${columns.join(", ")}) STRICT`,
    `CREATE UNIQUE INDEX IF NOT EXISTS ${name}_by_seq ON ${name} (stream, seq)`,
    `CREATE INDEX IF NOT EXISTS ${bySession} ON ${name} (namespace_id, session_id, timestamp, stream, seq)`,
    `CREATE INDEX IF NOT EXISTS ${byGame} ON ${name} (namespace_id, game_id, timestamp, stream, seq)`,
    `CREATE INDEX IF NOT EXISTS ${name}_by_expiry ON ${name} (expires_on)`,
  ];
}

function viewStatement(dialect: Dialect, table: Table): string {
  const legacy = LEGACY_COLUMNS[table.name];
  const ours = ["session_id", "stream", "seq", "nonfinite", "expires_on"].filter((name) => !legacy.includes(name));
  const id = dialect === "mysql" ? "CONCAT(stream, '-', seq) AS id" : "id";
  const create =
    dialect === "mysql" ? "CREATE OR REPLACE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW" : "CREATE VIEW IF NOT EXISTS";
  return `${create} ${table.name} AS SELECT ${[id, ...legacy, "created_at", ...ours].join(", ")}
    FROM ${rowsTable(table)} WHERE namespace_id = '${DEFAULT_NAMESPACE}'`;
}

/** Everything of version 1. Each statement may be run again after a crash in the middle. */
export function initialStatements(dialect: Dialect, storingDay: number): string[] {
  const types = TYPES[dialect];
  const end = dialect === "mysql" ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : ") STRICT";
  const integer = `${types.integer} NOT NULL`;
  const id = `${types.id} NOT NULL`;
  const stateName = dialect === "mysql" ? "VARCHAR(256)" : "TEXT";
  const index = (name: string, table: string, columns: string) =>
    dialect === "mysql"
      ? { inside: `, KEY ${name} (${columns})`, after: [] }
      : {
          inside: "",
          after: [`CREATE INDEX IF NOT EXISTS ${name} ON ${table} (${columns})`],
        };
  const sessionsByStart = index("sessions_by_start", "sessions", "namespace_id, started_at_us, session_id");
  const sessionsByState = index("sessions_by_state", "sessions", "state, last_seen_at_us");
  const streamsBySession = index("streams_by_session", "streams", "namespace_id, session_id, stream_id");
  const gapsBySession = index("gaps_by_session", "gaps", "namespace_id, session_id, stream, first_seq");
  const lettersBySession = index("dead_letters_by_session", "dead_letters", "namespace_id, session_id, stream, seq");
  return [
    `CREATE TABLE IF NOT EXISTS storing_day (id ${integer} PRIMARY KEY, day ${types.day} NOT NULL${end}`,
    `CREATE TABLE IF NOT EXISTS sessions (namespace_id ${id}, session_id ${id}, name ${stateName} NOT NULL,
      labels ${types.longText} NOT NULL, config ${types.longText} NOT NULL, state ${types.text} NOT NULL,
      started_at_us ${integer}, last_seen_at_us ${integer}, ended_at_us ${types.integer},
      PRIMARY KEY (namespace_id, session_id)${sessionsByStart.inside}${sessionsByState.inside}${end}`,
    ...sessionsByStart.after,
    ...sessionsByState.after,
    `CREATE TABLE IF NOT EXISTS streams (stream ${types.key} PRIMARY KEY, namespace_id ${id}, session_id ${id},
      stream_id ${id}, writer_id ${id}, epoch ${integer}, committed_seq ${integer},
      ${STORED_COLUMNS.map((column) => `${column} ${integer}`).join(", ")}, rejected ${integer}, gapped ${integer},
      opened_at_us ${integer}${streamsBySession.inside}${end}`,
    ...streamsBySession.after,
    `CREATE TABLE IF NOT EXISTS gaps (stream ${types.key}, first_seq ${integer}, last_seq ${integer},
      namespace_id ${id}, session_id ${id}, type ${integer}, cause ${integer}, created_at_us ${integer},
      expires_on ${types.day} NOT NULL, PRIMARY KEY (stream, first_seq)${gapsBySession.inside}${end}`,
    ...gapsBySession.after,
    `CREATE TABLE IF NOT EXISTS dead_letters (stream ${types.key}, seq ${integer}, namespace_id ${id}, session_id ${id},
      type ${integer}, reason ${integer}, field ${types.longText} NOT NULL, message ${types.longText} NOT NULL,
      body ${types.blob}, created_at_us ${integer}, expires_on ${types.day} NOT NULL,
      PRIMARY KEY (stream, seq)${lettersBySession.inside}${end}`,
    ...lettersBySession.after,
    `CREATE TABLE IF NOT EXISTS states (namespace_id ${id}, name ${stateName} NOT NULL, version ${integer},
      value ${types.longText} NOT NULL, updated_at_us ${integer}, PRIMARY KEY (namespace_id, name)${end}`,
    ...TABLES.flatMap((table) => [...rowsTableStatements(dialect, table, storingDay), viewStatement(dialect, table)]),
  ];
}

/** Everything of the central configuration: one row a change, and the newest one holds. */
export function configStatements(dialect: Dialect): string[] {
  const types = TYPES[dialect];
  const end = dialect === "mysql" ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : ") STRICT";
  return [
    `CREATE TABLE IF NOT EXISTS config_changes (version ${types.integer} NOT NULL PRIMARY KEY,
      created_at_us ${types.integer} NOT NULL, author ${types.text} NOT NULL, comment ${types.longText} NOT NULL,
      changes ${types.longText} NOT NULL, overrides ${types.longText} NOT NULL${end}`,
  ];
}

/** What expiry needs beside the day on each row: pins, ways to the expired gaps and dead letters, and what was done. */
export function expiryStatements(dialect: Dialect): string[] {
  const types = TYPES[dialect];
  const end = dialect === "mysql" ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : ") STRICT";
  return [
    `ALTER TABLE sessions ADD COLUMN pinned ${types.bool} NOT NULL DEFAULT 0`,
    "CREATE INDEX sessions_by_pin ON sessions (pinned)",
    "CREATE INDEX gaps_by_expiry ON gaps (expires_on)",
    "CREATE INDEX dead_letters_by_expiry ON dead_letters (expires_on)",
    `CREATE TABLE IF NOT EXISTS expiry_runs (ended_at_us ${types.integer} NOT NULL PRIMARY KEY,
      storing_day ${types.day} NOT NULL, report ${types.longText} NOT NULL${end}`,
  ];
}

/** Who may call: a row for each API key that there ever was. */
export function apiKeyStatements(dialect: Dialect): string[] {
  const types = TYPES[dialect];
  const end = dialect === "mysql" ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : ") STRICT";
  const integer = types.integer;
  return [
    `CREATE TABLE IF NOT EXISTS api_keys (key_id ${types.id} NOT NULL PRIMARY KEY, namespace_id ${types.id} NOT NULL,
      name ${types.text} NOT NULL, roles ${types.text} NOT NULL, secret_hash ${types.text} NOT NULL,
      previous_hash ${types.text}, previous_until_us ${integer}, created_at_us ${integer} NOT NULL,
      expires_at_us ${integer}, revoked_at_us ${integer}, streams_max ${integer}, records_per_second_max ${integer},
      bytes_per_second_max ${integer}, changes ${integer} NOT NULL${end}`,
  ];
}

/** Numeric series summed up: how far each stream is, and the sums. */
export function rollupStatements(dialect: Dialect): string[] {
  const types = TYPES[dialect];
  const end = dialect === "mysql" ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : ") STRICT";
  const integer = `${types.integer} NOT NULL`;
  const owner = `namespace_id ${types.id} NOT NULL, session_id ${types.id} NOT NULL`;
  const index = (name: string, table: string, columns: string) =>
    dialect === "mysql"
      ? { inside: `, KEY ${name} (${columns})`, after: [] }
      : { inside: "", after: [`CREATE INDEX IF NOT EXISTS ${name} ON ${table} (${columns})`] };
  return ["rollup_streams", "rollup_nodes"].flatMap((table) => {
    const bySession = index(`${table}_by_session`, table, "namespace_id, session_id, stream");
    const byExpiry = index(`${table}_by_expiry`, table, "expires_on");
    const own =
      table === "rollup_streams"
        ? `stream ${types.key} PRIMARY KEY, ${owner}, rolled_seq ${integer}, summary ${types.longText} NOT NULL,
           expires_on ${types.day} NOT NULL`
        : `stream ${types.key}, type_index ${integer}, game ${integer}, level ${integer}, node ${integer}, ${owner},
           body ${types.blob} NOT NULL, expires_on ${types.day} NOT NULL,
           PRIMARY KEY (stream, type_index, game, level, node)`;
    const create = `CREATE TABLE IF NOT EXISTS ${table} (${own}${bySession.inside}${byExpiry.inside}${end}`;
    return [create, ...bySession.after, ...byExpiry.after];
  });
}

/** Tables that the runner of migrations itself needs, before any migration. */
export function bootstrapStatements(dialect: Dialect): string[] {
  const types = TYPES[dialect];
  const end = dialect === "mysql" ? ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin" : ") STRICT";
  return [
    `CREATE TABLE IF NOT EXISTS schema_migrations (version ${types.integer} NOT NULL PRIMARY KEY,
      name ${types.text} NOT NULL, applied_at ${types.time} NOT NULL${end}`,
    `CREATE TABLE IF NOT EXISTS leases (name ${types.text} NOT NULL PRIMARY KEY, holder ${types.text} NOT NULL,
      expires_at_us ${types.integer} NOT NULL${end}`,
  ];
}

export interface Migration {
  version: number;
  name: string;
  statements(dialect: Dialect, storingDay: number): string[];
}

/** In order; never changed once released, only added to. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "initial", statements: initialStatements },
  { version: 2, name: "config", statements: configStatements },
  { version: 3, name: "key index", statements: keyIndexStatements },
  { version: 4, name: "expiry", statements: expiryStatements },
  { version: 5, name: "api keys", statements: apiKeyStatements },
  { version: 6, name: "rollups", statements: rollupStatements },
];

export const SCHEMA_VERSION = MIGRATIONS.length;
