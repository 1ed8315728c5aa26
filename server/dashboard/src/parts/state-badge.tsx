import { FINISHED, LOST, STATE_NAMES } from "../model.js";

/** A session's state in a word; its colour says the same. */
export function StateBadge({ state, quiet }: { state: number; quiet: boolean }) {
  const tone = quiet ? "warn" : state === LOST ? "bad" : state === FINISHED ? "plain" : "good";
  return <span class={`badge ${tone}`}>{quiet ? "quiet" : (STATE_NAMES[state] ?? "unknown")}</span>;
}
