/**
 * A database whose schema this server does not take, and what to do about it.
 *
 * While `tailkeep migrate` fills a database, and for ever in the file that it has emptied, schema_migrations has one
 * version that no Tailkeep knows: so every server, older ones too, refuses to serve half of an installation.
 */
import { StoreError } from "./errors.js";
import { SCHEMA_VERSION } from "./schema.js";

export const MOVED_VERSION = 1_000_000;

/** Names of that version. */
export const BEING_FILLED = "tailkeep migrate fills this database";
export const MOVED_AWAY = "tailkeep migrate has moved this installation";

/** For a command that works beside servers: bringing the schema up to date under them is not its to do. */
export function otherSchema(database: string, found: number): StoreError {
  return new StoreError(
    "misconfigured",
    `${database} has schema ${found}, this command knows ${SCHEMA_VERSION}; use the version that its server has`,
    "OTHER_SCHEMA",
  );
}

/** @param applied the newest version in schema_migrations. @throws StoreError where it is none of ours */
export function refuseOtherSchema(applied: number, moved: { readonly hint: string }): void {
  if (applied === MOVED_VERSION) throw new StoreError("misconfigured", moved.hint, "MOVED");
  if (applied <= SCHEMA_VERSION) return;
  throw new StoreError(
    "misconfigured",
    `the database has schema ${applied}, this server knows ${SCHEMA_VERSION}; run a newer Tailkeep`,
    "NEWER_SCHEMA",
  );
}
