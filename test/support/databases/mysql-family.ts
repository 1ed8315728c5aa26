/**
 * A MariaDB or MySQL for tests, from the first of: TAILKEEP_TEST_MYSQL_URL, a server program found on the machine (a
 * private instance of it: one that already runs is never touched), the distribution's packages.
 */
import { askVersion, kindOfVersion, OwnDatabases, urlWithDatabase } from "./connection.js";
import { unpackFromDistribution } from "./debian-packages.js";
import { findOnMachine, type Installation } from "./installation.js";
import { firstLine } from "./mysql9.js";
import { startPrivateServer } from "./private-server.js";
import type { DatabaseServer, PrivateDatabaseServer, PrivateServerOptions, Skipped } from "./types.js";

export interface MysqlFamilyOptions extends PrivateServerOptions {
  /**
   * The test kills or pauses it, or needs its own settings: always a private server, even where
   * TAILKEEP_TEST_MYSQL_URL names one.
   * @default false
   */
  private?: boolean;
}

export async function startMysqlFamily(
  options: MysqlFamilyOptions & { private: true },
): Promise<PrivateDatabaseServer | Skipped>;
export async function startMysqlFamily(options?: MysqlFamilyOptions): Promise<DatabaseServer | Skipped>;
export async function startMysqlFamily(options: MysqlFamilyOptions = {}): Promise<DatabaseServer | Skipped> {
  const givenUrl = process.env["TAILKEEP_TEST_MYSQL_URL"];
  if (givenUrl && !options.private) return await attachToServer(givenUrl);
  let failure: unknown;
  for await (const installation of installations()) {
    if ("skipped" in installation) {
      if (failure) break;
      return installation;
    }
    try {
      return await startPrivateServer(installation, options);
    } catch (error) {
      // A security profile may bind the machine's own program to its own data folder; an unpacked copy is free of it.
      failure ??= error;
    }
  }
  throw failure;
}

/** A server that somebody else runs: databases may be made on it, and that is all. */
export async function attachToServer(serverUrl: string): Promise<DatabaseServer> {
  const version = await askVersion(urlWithDatabase(serverUrl));
  const databases = new OwnDatabases(urlWithDatabase(serverUrl));
  return {
    kind: kindOfVersion(version),
    version,
    url: (database) => urlWithDatabase(serverUrl, database),
    createDatabase: (name) => databases.create(name),
    stop: () => databases.dropAll(),
  };
}

/** What may be tried, in this order; at the end the reason why there is no more. */
async function* installations(): AsyncGenerator<Installation | Skipped> {
  const onMachine = await findOnMachine();
  if (onMachine) yield onMachine;
  let reason = "";
  try {
    const unpacked = await unpackFromDistribution();
    if (unpacked) yield unpacked;
  } catch (error) {
    reason = ` (downloading one failed: ${firstLine(error)})`;
  }
  const remedy = process.platform === "darwin" ? "brew install mariadb" : "install mariadb-server or mysql-server";
  yield { skipped: `no MariaDB or MySQL found: ${remedy}, or set TAILKEEP_TEST_MYSQL_URL${reason}` };
}
