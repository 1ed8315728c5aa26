/** What tests know of a database server, whoever runs it. */

export type DatabaseKind = "mariadb" | "mysql";

/** Why there is no server, in one line that says what to do about it. */
export interface Skipped {
  readonly skipped: string;
}

export interface DatabaseServer {
  readonly kind: DatabaseKind;
  /** As `SELECT VERSION()` says it. */
  readonly version: string;
  /** `mysql://user:password@host:port/[database]` */
  url(database?: string): string;
  /** Creates a database, uniquely named unless told, and returns its name. It lasts until `stop`. */
  createDatabase(name?: string): Promise<string>;
  /** Gives everything back: the databases it created, and the server itself if it is private. May be repeated. */
  stop(): Promise<void>;
}

/** A server of this test's own: it may be killed, frozen and started again. */
export interface PrivateDatabaseServer extends DatabaseServer {
  readonly port: number;
  /** Process id while it runs. */
  readonly pid: number | undefined;
  /** SIGKILL; resolves when the process is gone. What was committed is still in the data folder. */
  kill(): Promise<void>;
  /** Starts it again after `kill`: same data, same port. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

export interface PrivateServerOptions {
  /** @default 64 */
  bufferPoolMegabytes?: number;
  /** More options for the server's command line, such as `--innodb-lock-wait-timeout=1`. */
  serverArguments?: readonly string[];
  /** Where its own folder is made. @default the system's folder for temporary files */
  parentFolder?: string;
  /** More environment of its process. */
  environment?: Readonly<Record<string, string>>;
}

export function isSkipped(server: object): server is Skipped {
  return "skipped" in server;
}
