/** What a file is, by its name first and its shape second. */
import { asObject } from "./fields.js";
import type { Json } from "./salvage-json.js";
import { holdsEpisodes } from "./session-results.js";

export type FileKind = "session results" | "loose result" | "action intelligence" | "state document" | "not ours";

const KINDS_BY_NAME: readonly (readonly [RegExp, FileKind])[] = [
  [/^session_session_.*_final\.json$/i, "session results"],
  [/^master_training_results_.*\.json$/i, "session results"],
  [/^session_unknown_.*\.json$/i, "loose result"],
  [/^action_intelligence_.*\.json$/i, "action intelligence"],
];

export function hasJsonName(name: string): boolean {
  return /\.json$/i.test(name);
}

/**
 * @param value what is in it; undefined if nothing could be salvaged
 * @param isEmpty whether it has no text at all, which is how a crash leaves a file that was just opened for writing
 */
export function classify(name: string, value: Json | undefined, isEmpty: boolean): FileKind {
  if (!hasJsonName(name)) return "not ours";
  const byName = KINDS_BY_NAME.find(([pattern]) => pattern.test(name))?.[1];
  if (value === undefined) return byName ?? (isEmpty ? "state document" : "not ours");
  const root = asObject(value);
  const hasItsShape = byName === "loose result" ? asObject(root?.["session_result"]) : root;
  if (byName && hasItsShape) return byName;
  return holdsEpisodes(value) ? "session results" : "state document";
}
