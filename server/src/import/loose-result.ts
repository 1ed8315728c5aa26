/** `session_unknown_*.json`: the result of one game that was played outside of any session. */
import type { TrainingRecord } from "@tailkeep/client";
import { effectiveActionRecords } from "./actions.js";
import { scoreRecords } from "./episodes.js";
import { asInteger, asNumber, asObject, asText, asTimeUs, type JsonObject } from "./fields.js";
import { cleanId } from "./identity.js";
import { type ImportItem, jsonField, makeItems, type Note, shortText } from "./items.js";

export function looseResultItems(root: JsonObject, fileStem: string, note: Note): ImportItem[] {
  const result = asObject(root["session_result"]);
  if (!result) return [];
  const gameId = cleanId(asText(root["game_id"]));
  const timestamp = root["timestamp"];
  const eventTimeUs = asTimeUs(timestamp);
  const session = typeof timestamp === "number" ? `session_${gameId}_${timestamp}` : fileStem;
  const records: TrainingRecord[] = [
    {
      type: "session_history",
      gameId,
      eventTimeUs,
      status: shortText(asText(result["final_state"])),
      actionsTaken: asInteger(result["total_actions"]),
      score: asNumber(result["final_score"]),
      metadata: jsonField(root, `result of ${gameId}`, note),
    },
    ...scoreRecords({ final: result["final_score"] }, gameId, eventTimeUs),
    ...effectiveActionRecords(result["effective_actions"], { gameId, eventTimeUs, note }),
  ];
  return makeItems({ kind: "result", session, game: gameId, time: timestamp, content: root }, records);
}
