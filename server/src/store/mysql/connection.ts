/** Connections to MySQL or MariaDB, with everything set that the store relies on. */
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  createPool,
  type Pool,
  type RowDataPacket,
  type TypeCastField,
  type TypeCastNext,
} from "mysql2";
import {
  CONNECT_TIMEOUT_MS,
  LOCK_WAIT_SECONDS,
  READ_CONNECTIONS_MAX,
  READ_QUEUE_MAX,
  READ_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
} from "../../limits.js";
import { StoreError } from "../errors.js";
import { endsConnection, mysqlError } from "./errors.js";

/** Where the database is, from `mysql://user:password@host:3306/database?ssl=true`. */
export interface MysqlTarget {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  tls: boolean;
}

export function parseMysqlUrl(url: string): MysqlTarget {
  const parsed = URL.parse(url);
  if (parsed === null) throw new Error("the store is no URL; write mysql://user:password@host:3306/database");
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (database === "") {
    throw new Error("the store names no database; write mysql://user:password@host:3306/database");
  }
  return {
    host: parsed.hostname,
    port: parsed.port === "" ? 3306 : Number(parsed.port),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database,
    tls: parsed.searchParams.get("ssl") === "true",
  };
}

function options(target: MysqlTarget) {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password,
    database: target.database,
    ...(target.tls ? { ssl: { minVersion: "TLSv1.2" } } : {}),
    charset: "UTF8MB4_BIN",
    timezone: "Z",
    // Times as text: a JavaScript Date would cut microseconds.
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    typeCast: exactDoubles,
    multipleStatements: false,
    stringifyObjects: true,
    // LOAD DATA LOCAL is a door for rogue servers.
    flags: ["-LOCAL_FILES"],
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableKeepAlive: true,
    maxPreparedStatements: 64,
  };
}

/**
 * The driver adds up the digits of a short double itself and is off by one in the last place above 2^53: it reads
 * 9.077012864872811, which the database has and sends, as ...810.
 */
function exactDoubles(field: TypeCastField, next: TypeCastNext): unknown {
  if (field.type !== "DOUBLE") return next();
  const text = field.string();
  return text === null ? null : Number(text);
}

const SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/** Writers begin a transaction with their first statement, which saves a round trip each. */
function sessionStatements(writes: boolean): string[] {
  return [
    `SET SESSION sql_mode = '${SQL_MODE}', time_zone = '+00:00', autocommit = ${writes ? 0 : 1},
       innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}, lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
    // Without gap locks, so that streams beside each other do not wait for each other.
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  ];
}

export type Rows = Record<string, unknown>[];

/** One connection of a writer. After an error that ends it, `lost` is true and it is not used again. */
export class Session {
  readonly #connection: Connection;
  #lost = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
    // A connection that dies between statements says so here; the next statement then fails.
    connection.on("error", () => {
      this.#lost = true;
    });
  }

  static async connect(target: MysqlTarget): Promise<Session> {
    // Writers' statements are complete: looking for placeholders in a megabyte of rows took a tenth of the server's time.
    const connection = createConnection({ ...options(target), queryFormat: (sql: string) => sql } as ConnectionOptions);
    const session = new Session(connection);
    try {
      await new Promise<void>((resolve, reject) => {
        connection.connect((error) => (error === null ? resolve() : reject(error)));
      });
      for (const statement of sessionStatements(true)) await session.query(statement);
      const [row] = await session.query("SELECT @@SESSION.sql_mode AS mode");
      if (String(row?.["mode"]).includes("NO_BACKSLASH_ESCAPES")) {
        throw new StoreError("misconfigured", "the server forces NO_BACKSLASH_ESCAPES; remove it", "SQL_MODE");
      }
      return session;
    } catch (error) {
      session.destroy();
      throw mysqlError(error);
    }
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** @throws StoreError; one that leaves the connection in doubt also ends it */
  query(sql: string): Promise<Rows> {
    return new Promise((resolve, reject) => {
      this.#connection.query({ sql, timeout: STATEMENT_TIMEOUT_MS }, (error, rows) => {
        if (error === null) {
          resolve(rows as unknown as Rows);
          return;
        }
        // A timeout only rejects; the statement goes on. Nothing that happens on this connection can be trusted.
        if (endsConnection(error)) this.destroy();
        reject(mysqlError(error));
      });
    });
  }

  destroy(): void {
    this.#lost = true;
    this.#connection.destroy();
  }
}

/** Connections for reading. */
export class ReadPool {
  readonly #pool: Pool;

  constructor(target: MysqlTarget) {
    this.#pool = createPool({
      ...options(target),
      connectionLimit: READ_CONNECTIONS_MAX,
      queueLimit: READ_QUEUE_MAX,
      maxIdle: 1,
      idleTimeout: 30_000,
    });
    this.#pool.on("connection", (connection) => {
      for (const statement of sessionStatements(false)) connection.query(statement, () => undefined);
    });
  }

  query(sql: string, values: readonly unknown[]): Promise<Rows> {
    return new Promise((resolve, reject) => {
      this.#pool.getConnection((failure, connection) => {
        if (failure !== null) {
          reject(mysqlError(failure));
          return;
        }
        connection.query<RowDataPacket[]>({ sql, values: [...values], timeout: READ_TIMEOUT_MS }, (error, rows) => {
          if (error === null) {
            connection.release();
            resolve(rows);
            return;
          }
          if (endsConnection(error)) connection.destroy();
          else connection.release();
          reject(mysqlError(error));
        });
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#pool.end(() => resolve());
    });
  }
}
