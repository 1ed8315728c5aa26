/** The tables as Kysely sees them, and builders that only compile: stores run the SQL on their own connections. */
import {
  DummyDriver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from "kysely";
import type { TableName } from "../../record/tables.js";
import type { Dialect } from "../schema.js";

/** Columns that every rows table has. */
interface RowsTable {
  stream: bigint;
  seq: number;
  namespace_id: string;
  session_id: string;
  game_id: string;
  timestamp: string;
  nonfinite: string | null;
  created_at: string;
  expires_on: string;
}

interface SessionsTable {
  namespace_id: string;
  session_id: string;
  name: string;
  labels: string;
  config: string;
  state: string;
  started_at_us: number;
  last_seen_at_us: number;
  ended_at_us: number | null;
  pinned: number;
}

interface StreamsTable {
  stream: bigint;
  namespace_id: string;
  session_id: string;
  stream_id: string;
  writer_id: string;
  epoch: number;
  committed_seq: number;
  stored_performance_history: number;
  stored_session_history: number;
  stored_action_tracking: number;
  stored_score_history: number;
  stored_coordinate_tracking: number;
  stored_frame_tracking: number;
  rejected: number;
  gapped: number;
  opened_at_us: number;
}

interface GapsTable {
  stream: bigint;
  first_seq: number;
  last_seq: number;
  namespace_id: string;
  session_id: string;
  type: number;
  cause: number;
  created_at_us: number;
}

interface DeadLettersTable {
  stream: bigint;
  seq: number;
  namespace_id: string;
  session_id: string;
  type: number;
  reason: number;
  field: string;
  message: string;
  body: Uint8Array | null;
  created_at_us: number;
}

interface StatesTable {
  namespace_id: string;
  name: string;
  version: number;
  value: string;
  updated_at_us: number;
}

interface ConfigChangesTable {
  version: number;
  created_at_us: number;
  author: string;
  comment: string;
  changes: string;
  overrides: string;
}

interface ExpiryRunsTable {
  ended_at_us: number;
  storing_day: string;
  report: string;
}

export interface ApiKeysTable {
  key_id: string;
  namespace_id: string;
  name: string;
  roles: string;
  secret_hash: string;
  previous_hash: string | null;
  previous_until_us: number | null;
  created_at_us: number;
  expires_at_us: number | null;
  revoked_at_us: number | null;
  streams_max: number | null;
  records_per_second_max: number | null;
  bytes_per_second_max: number | null;
  changes: number;
}

interface RollupStreamsTable {
  stream: bigint;
  namespace_id: string;
  session_id: string;
  rolled_seq: number;
  summary: string;
}

interface RollupNodesTable {
  stream: bigint;
  type_index: number;
  game: number;
  level: number;
  node: number;
  body: Uint8Array;
}

export type Database = Record<`${TableName}_rows`, RowsTable> & {
  sessions: SessionsTable;
  streams: StreamsTable;
  gaps: GapsTable;
  dead_letters: DeadLettersTable;
  states: StatesTable;
  config_changes: ConfigChangesTable;
  expiry_runs: ExpiryRunsTable;
  api_keys: ApiKeysTable;
  rollup_streams: RollupStreamsTable;
  rollup_nodes: RollupNodesTable;
};

export type QueryBuilder = Kysely<Database>;

export function queryBuilder(dialect: Dialect): QueryBuilder {
  const createDriver = () => new DummyDriver();
  return new Kysely<Database>({
    dialect:
      dialect === "mysql"
        ? {
            createAdapter: () => new MysqlAdapter(),
            createDriver,
            createIntrospector: (db) => new MysqlIntrospector(db),
            createQueryCompiler: () => new MysqlQueryCompiler(),
          }
        : {
            createAdapter: () => new SqliteAdapter(),
            createDriver,
            createIntrospector: (db) => new SqliteIntrospector(db),
            createQueryCompiler: () => new SqliteQueryCompiler(),
          },
  });
}

/** Runs compiled SQL and returns its rows. */
export type Execute = (sql: string, parameters: readonly unknown[]) => Promise<Record<string, unknown>[]>;

/** Anything Kysely can compile into a typed query. */
export interface Compilable<Row> {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[]; readonly query: unknown };
  execute(): Promise<Row[]>;
}

/** Runs a query of the builder; its row type is what the builder says. */
export async function run<Row>(execute: Execute, query: Compilable<Row>): Promise<Row[]> {
  const { sql, parameters } = query.compile();
  return (await execute(sql, parameters)) as Row[];
}

/** Where functions of this folder read from. */
export interface Source {
  db: QueryBuilder;
  execute: Execute;
  /** Whether the database knows `FORCE INDEX`, and needs to be told. */
  hintsIndexes: boolean;
  /** Whether the key index is cut into blocks of a stream's numbers; else it is ordered by session. */
  keyBlocks: boolean;
}

/** A stream's key as text: 63 bits do not fit a JavaScript number. */
export const streamKeyText = (column: string) => sql<string>`cast(${sql.ref(column)} as char)`;
