/**
 * What makes a source item the same item in another file, another folder or another import. Each item is a stream of its
 * own whose id is computed from the item, written by a constant writer: the server's rule of numbers then makes a repeat
 * add nothing, whoever repeats it and whenever.
 *
 * | item | session | identity within it |
 * | --- | --- | --- |
 * | episode | `session_id` of the session results around it | game and the episode's timestamp |
 * | session | its `session_id` | its start time (two runs in one second share their id) |
 * | run (what a file says around its sessions) | its own `session_id`, else that of its first session, else the file's name | its timestamp |
 * | loose result (`session_unknown_*`) | `session_<game>_<timestamp>`, as the earlier system named the file | game and timestamp |
 * | action intelligence | `unknown`: it belongs to no session | game and time of the last update |
 *
 * An item without its time is identified by its content instead.
 */
import { createHash } from "node:crypto";
import { ID_CHARS_MAX } from "./limits.js";
import type { Json } from "./salvage-json.js";
import { wellFormed } from "./well-formed.js";

/** The same for every import, so that a repeat is the same writer and not a stranger to be fenced. */
export const IMPORT_WRITER_ID = "tailkeep-import";

export type ItemKind = "episode" | "session" | "run" | "result" | "intelligence";

export const UNKNOWN_ID = "unknown";

/** @param moment the item's time as its file has it, else a text of its content */
export function streamIdOf(kind: ItemKind, session: string, game: string, moment: Json): string {
  return `import-${kind}-${shortHash(JSON.stringify([kind, session, game, moment]))}`;
}

/** A text as an id: 1 to 128 characters, none of them a control character, no space around it. */
export function cleanId(text: string | undefined, charsMax = ID_CHARS_MAX): string {
  const clean = wellFormed(text ?? "")
    .replace(/\p{Cc}/gu, " ")
    .trim();
  if (clean === "") return UNKNOWN_ID;
  if (clean.length <= charsMax) return clean;
  // Two long ids that differ at their end must not become one.
  const hash = `-${shortHash(clean)}`;
  return wellFormed(clean.slice(0, charsMax - hash.length)).trimEnd() + hash;
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}
