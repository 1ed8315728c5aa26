/** Connections to MySQL or MariaDB, with everything set that the store relies on. */
import type { Socket } from "node:net";
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  createPool,
  type Pool,
  type PoolConnection,
  type QueryOptions,
  type RowDataPacket,
  type TypeCastField,
  type TypeCastNext,
} from "mysql2";
import type { MysqlTarget } from "../../base/mysql-url.js";
import {
  CONNECT_TIMEOUT_MS,
  INSERT_CHARS_MAX,
  LOCK_WAIT_SECONDS,
  READ_CONNECTIONS_MAX,
  READ_QUEUE_MAX,
  READ_TIMEOUT_MS,
  STATEMENT_TIMEOUT_MS,
} from "../../limits.js";
import { StoreError } from "../errors.js";
import { endsConnection, mysqlError } from "./errors.js";

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

/** Bytes of a statement for each of its JavaScript characters, at the most. */
const BYTES_PER_CHAR_MAX = 3;

/** What the driver says when too many wait for a connection; it has no code. */
const QUEUE_FULL = "Queue limit reached.";

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

/**
 * On a Galera node a read may be behind what another node has acked, and what follows from it would be wrong: a tail that
 * lacks records, a writer refused for one whom it has shut out. With bit 1 the first read of a transaction waits until its
 * node has all that was committed before. MySQL, and MariaDB built without Galera, have no such variable.
 */
const CAUSAL_READS = "SET SESSION wsrep_sync_wait = @@SESSION.wsrep_sync_wait | 1";

async function prepare(writes: boolean, run: (statement: string) => Promise<unknown>): Promise<void> {
  for (const statement of sessionStatements(writes)) await run(statement);
  await run(CAUSAL_READS).catch((error: unknown) => {
    if (!(error instanceof StoreError && error.code === "ER_UNKNOWN_SYSTEM_VARIABLE")) throw error;
  });
}

export type Rows = Record<string, unknown>[];

/** Ends a connection at once: the driver's `destroy` waits for a server that may be frozen to close its side. */
function cut(connection: Connection): void {
  connection.destroy();
  (connection as unknown as { stream: Socket }).stream.destroy();
}

/** Asks once. The time limit is ours: the driver's own keeps the process alive when its connection is long gone. */
function ask(
  connection: Connection,
  query: QueryOptions,
  msMax: number,
  done: (error: unknown, rows: Rows) => void,
): void {
  let isDone = false;
  const finish = (error: unknown, rows: Rows) => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    done(error, rows);
  };
  const timer = setTimeout(() => {
    const late = new Error(`no answer in ${msMax} ms`);
    finish(Object.assign(late, { code: "PROTOCOL_SEQUENCE_TIMEOUT", fatal: true }), []);
  }, msMax);
  timer.unref();
  connection.query<RowDataPacket[]>(query, finish);
}

export function closedError(): StoreError {
  return new StoreError("unavailable", "the connection was closed", "CLOSED");
}

/** One connection of a writer. After an error that ends it, `lost` is true and it is not used again. */
export class Session {
  readonly #connection: Connection;
  #lost = false;
  #insertCharsMax = INSERT_CHARS_MAX;
  /** Gives up the query under way, of which the driver says nothing more once the connection is destroyed. */
  #giveUp: ((error: StoreError) => void) | undefined;

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
      await prepare(true, (statement) => session.query(statement));
      const [row] = await session.query("SELECT @@SESSION.sql_mode AS mode, @@SESSION.max_allowed_packet AS packet");
      if (String(row?.["mode"]).includes("NO_BACKSLASH_ESCAPES")) {
        throw new StoreError("misconfigured", "the server forces NO_BACKSLASH_ESCAPES; remove it", "SQL_MODE");
      }
      session.#insertCharsMax = Math.min(INSERT_CHARS_MAX, Math.floor(Number(row?.["packet"]) / BYTES_PER_CHAR_MAX));
      return session;
    } catch (error) {
      session.destroy();
      throw mysqlError(error);
    }
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** What one statement may have in characters, so that the server takes it. */
  get insertCharsMax(): number {
    return this.#insertCharsMax;
  }

  /** @throws StoreError; one that leaves the connection in doubt also ends it */
  query(sql: string, msMax = STATEMENT_TIMEOUT_MS): Promise<Rows> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      ask(this.#connection, { sql }, msMax, (error, rows) => {
        this.#giveUp = undefined;
        if (error === null) {
          resolve(rows);
          return;
        }
        // After a timeout the statement goes on. Nothing that happens on this connection can be trusted.
        if (endsConnection(error)) this.destroy();
        reject(mysqlError(error));
      });
    });
  }

  destroy(): void {
    this.#lost = true;
    cut(this.#connection);
    this.#giveUp?.(closedError());
    this.#giveUp = undefined;
  }
}

/** Connections for reading. A query has its connection for itself, because the driver's timeouts begin with its turn. */
export class ReadPool {
  readonly #pool: Pool;
  readonly #connections = new Set<PoolConnection>();
  readonly #prepared = new WeakSet<PoolConnection>();
  readonly #outdated = new WeakSet<PoolConnection>();
  readonly #waiting = new Set<(error: StoreError) => void>();
  #closed = false;

  constructor(target: MysqlTarget) {
    this.#pool = createPool({
      ...options(target),
      connectionLimit: READ_CONNECTIONS_MAX,
      queueLimit: READ_QUEUE_MAX,
      maxIdle: 1,
      idleTimeout: 30_000,
    });
    this.#pool.on("connection", (connection) => {
      const forget = () => this.#connections.delete(connection);
      this.#connections.add(connection);
      connection.once("end", forget);
      connection.once("error", forget);
    });
  }

  /** Reads that begin from now on are on new connections: the old ones may go to a machine that is not the one any more. */
  renew(): void {
    for (const connection of this.#connections) this.#outdated.add(connection);
  }

  query(sql: string, values: readonly unknown[]): Promise<Rows> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      void this.#query(sql, values)
        .then(resolve, reject)
        .finally(() => this.#waiting.delete(reject));
    });
  }

  async #query(sql: string, values: readonly unknown[]): Promise<Rows> {
    let connection = await this.#borrow();
    while (this.#outdated.has(connection)) {
      this.#destroy(connection);
      connection = await this.#borrow();
    }
    try {
      if (!this.#prepared.has(connection)) {
        await prepare(false, (statement) => this.#run(connection, statement, [])).catch((error: unknown) => {
          // Without its settings it would answer otherwise: in another time zone, with other locks.
          this.#destroy(connection);
          throw error;
        });
        this.#prepared.add(connection);
      }
      return await this.#run(connection, sql, values);
    } finally {
      if (this.#connections.has(connection)) connection.release();
    }
  }

  #borrow(): Promise<PoolConnection> {
    return new Promise((resolve, reject) => {
      this.#pool.getConnection((error, connection) => {
        if (error === null && !this.#closed) resolve(connection);
        else if (error === null) {
          cut(connection);
          reject(closedError());
        } else if (error.message === QUEUE_FULL) {
          reject(new StoreError("contention", `${READ_QUEUE_MAX} reads are waiting already`, "READ_QUEUE_FULL"));
        } else reject(mysqlError(error));
      });
    });
  }

  #run(connection: PoolConnection, sql: string, values: readonly unknown[]): Promise<Rows> {
    return new Promise((resolve, reject) => {
      ask(connection, { sql, values: [...values] }, READ_TIMEOUT_MS, (error, rows) => {
        if (error === null) {
          resolve(rows);
          return;
        }
        if (endsConnection(error)) this.#destroy(connection);
        reject(mysqlError(error));
      });
    });
  }

  #destroy(connection: PoolConnection): void {
    this.#connections.delete(connection);
    cut(connection);
  }

  /** At once, whatever is under way: the pool's own end waits for a server that may be frozen. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) this.#destroy(connection);
    this.#pool.end(() => undefined);
    for (const reject of this.#waiting) reject(closedError());
    this.#waiting.clear();
  }
}
