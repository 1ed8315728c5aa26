/**
 * Bounds of an import. Those that the protocol sets are written again here, because an import is a client like any other
 * and a newer server is not its own; a test asserts that both sides agree.
 */

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** Ids and short texts, in characters (records.proto). */
export const ID_CHARS_MAX = 128;

/** One JSON field of a record (records.proto). */
export const JSON_BYTES_MAX = 256 * KIB;

/** Nesting of JSON (records.proto, state.proto). */
export const JSON_DEPTH_MAX = 64;

/** Entries of a batch (ingest.proto). */
export const BATCH_ENTRIES_MAX = 4_096;

/** A batch, encoded (ingest.proto). */
export const BATCH_BYTES_MAX = 1 * MIB;

/** Name and value of a state document (state.proto). */
export const STATE_NAME_CHARS_MAX = 256;
export const STATE_BYTES_MAX = 1 * MIB;

/**
 * One file. It is in memory as bytes, as text and as values, up to about ten times its size; the earlier system's
 * largest known file has 200 KB.
 */
export const FILE_BYTES_MAX = 128 * MIB;

/** Items remembered so that a second file with the same one is not even sent: about 100 bytes each. */
export const SEEN_ITEMS_MAX = 500_000;

/** Items written at once: enough to fill the server's group commits, few enough to be polite. */
export const ITEMS_IN_FLIGHT_MAX = 32;

/** Files whose items are in flight at once, so that small files do not leave the connection idle in between. */
export const FILES_IN_FLIGHT_MAX = 4;

/** Sessions whose existing streams are remembered. */
export const SESSIONS_REMEMBERED_MAX = 64;

/** What an import had to leave out of one file is named up to this often. */
export const NOTES_MAX = 20;

/** Files named in the summary besides their count: a folder of a million pictures must not be a million lines. */
export const REMARKABLE_FILES_MAX = 10_000;
