/** One episode: a session_history record, its scores, and the actions, sequences and coordinates it lists. */
import type { TrainingRecord } from "@tailkeep/client";
import { effectiveActionRecords, sequenceRecords } from "./actions.js";
import { asBoolean, asInteger, asNumber, asText, asTimeUs, type JsonObject } from "./fields.js";
import { cleanId } from "./identity.js";
import { type ImportItem, jsonField, makeItems, type Note, shortText } from "./items.js";

export interface EpisodeSource {
  readonly episode: JsonObject;
  readonly session: string;
  /** Game of the object around it, for an episode that does not name its own. */
  readonly game: string | undefined;
}

export function episodeItems({ episode, session, game }: EpisodeSource, note: Note): ImportItem[] {
  const gameId = cleanId(asText(episode["game_id"]) ?? game);
  const eventTimeUs = asTimeUs(episode["timestamp"]);
  const where = { gameId, eventTimeUs, note };
  const records: TrainingRecord[] = [
    {
      type: "session_history",
      gameId,
      eventTimeUs,
      status: shortText(asText(episode["game_state"])),
      durationSeconds: asNumber(episode["episode_duration"]),
      actionsTaken: asInteger(episode["actions_taken"]),
      score: asNumber(episode["final_score"]),
      win: asBoolean(episode["success"]),
      // Whole, as the earlier system's own store kept it: what the columns hold is in it again.
      metadata: jsonField(episode, `episode of ${gameId}`, note),
    },
    ...scoreRecords({ final: episode["final_score"], best: episode["best_score"] }, gameId, eventTimeUs),
    ...effectiveActionRecords(episode["effective_actions"], where),
    ...sequenceRecords(episode["action_sequences"], where),
  ];
  return makeItems({ kind: "episode", session, game: gameId, time: episode["timestamp"], content: episode }, records);
}

/** A score_history record for each score that is a number; the key is its type. */
export function scoreRecords(
  scores: { readonly [scoreType: string]: JsonObject[string] | undefined },
  gameId: string,
  eventTimeUs: number | undefined,
): TrainingRecord[] {
  return Object.entries(scores).flatMap(([scoreType, value]) => {
    const score = asNumber(value);
    return score === undefined ? [] : [{ type: "score_history", gameId, eventTimeUs, score, scoreType }];
  });
}
