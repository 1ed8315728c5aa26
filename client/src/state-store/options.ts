import { join, resolve } from "node:path";
import type { TailkeepClient } from "../client.js";
import { STATE_PATIENCE_MS_DEFAULT } from "../limits.js";
import type { ConnectOptions } from "../options.js";
import { type ConflictPolicy, checkPolicy } from "./conflict.js";
import { badField } from "./values.js";

/** Where documents are kept. Everything has a default. */
export interface StateStoreOptions extends ConnectOptions {
  /** A client to use; closing the store leaves it open. @default one of its own, made of the other options */
  readonly client?: TailkeepClient | undefined;
  /**
   * Folder for what cannot be in the database yet, and for copies of what was read. Several processes may share one.
   * @default env TAILKEEP_STATE_DIR, else ".tailkeep/state" in the working folder
   */
  readonly folder?: string | undefined;
  /** Put before every name, such as "run-7/". @default "" */
  readonly prefix?: string | undefined;
  /**
   * What wins where a document was changed here while the server was away, and meanwhile by somebody else in the
   * database. The other side is kept in a file and told by `onConflict`. @default "theirs"
   */
  readonly conflict?: ConflictPolicy | undefined;
  /**
   * How long one call waits for the server before it turns to the folder, in milliseconds, 1 to 600,000. Once the server
   * is known to be away calls do not wait at all. @default 2,000
   */
  readonly patienceMs?: number | undefined;
}

/** Options with every default filled in. */
export interface ResolvedStateStoreOptions {
  readonly folder: string;
  readonly prefix: string;
  readonly conflict: ConflictPolicy;
  readonly patienceMs: number;
}

/** Throws InvalidArgumentError for what cannot be. */
export function resolveStateStoreOptions(
  options: StateStoreOptions = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedStateStoreOptions {
  const { patienceMs = STATE_PATIENCE_MS_DEFAULT } = options;
  if (!(patienceMs >= 1 && patienceMs <= PATIENCE_MS_MAX)) {
    throw badField(`patienceMs must be between 1 and ${PATIENCE_MS_MAX}, but is ${patienceMs}`);
  }
  return Object.freeze({
    // Absolute: a trainer may change its working folder.
    folder: resolve(options.folder ?? (env["TAILKEEP_STATE_DIR"] || join(".tailkeep", "state"))),
    prefix: options.prefix ?? "",
    conflict: checkPolicy(options.conflict ?? "theirs"),
    patienceMs,
  });
}

const PATIENCE_MS_MAX = 600_000;
