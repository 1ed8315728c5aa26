/** Actions and coordinates, as episodes and loose results list them. */
import type { TrainingRecord } from "@tailkeep/client";
import { asArray, asInt32, asNumber, asObject, asText, type JsonObject, objectsIn } from "./fields.js";
import { jsonField, type Note, shortText } from "./items.js";
import type { Json } from "./salvage-json.js";

interface Where {
  readonly gameId: string;
  readonly eventTimeUs: number | undefined;
  readonly note: Note;
}

/** `effective_actions[]` of an episode: one action each, and the coordinate it was tried at, if it has one. */
export function effectiveActionRecords(actions: Json | undefined, where: Where): TrainingRecord[] {
  return objectsIn(actions).flatMap((action) => {
    const actionType = shortText(asText(action["action_type"]));
    const common = { gameId: where.gameId, eventTimeUs: where.eventTimeUs };
    const context = jsonField(action, "action", where.note);
    const records: TrainingRecord[] = [
      { type: "action_tracking", ...common, actionType, effectiveness: asNumber(action["effectiveness"]), context },
    ];
    const [x, y] = asArray(action["coordinates"]).map(asInt32);
    if (x !== undefined && y !== undefined) {
      records.push({
        type: "coordinate_tracking",
        ...common,
        coordinateX: x,
        coordinateY: y,
        actionType,
        success: hadEffect(action),
        context,
      });
    }
    return records;
  });
}

/** An action that is listed with the improvement it brought says by itself whether it had an effect. */
function hadEffect(action: JsonObject): boolean | undefined {
  const improvement = asNumber(action["score_improvement"]);
  return improvement === undefined ? undefined : improvement > 0;
}

/** `action_sequences.sequences[]`; `patterns[]` has the figures of the sequence at the same place. */
export function sequenceRecords(actionSequences: Json | undefined, where: Where): TrainingRecord[] {
  const holder = asObject(actionSequences);
  if (!holder) return [];
  const sequences = asArray(holder["sequences"]).filter(Array.isArray);
  const patterns = asArray(holder["patterns"]);
  return sequences.map((sequence, index) => {
    const pattern = patterns.length === sequences.length ? asObject(patterns[index]) : undefined;
    return {
      type: "action_tracking",
      gameId: where.gameId,
      eventTimeUs: where.eventTimeUs,
      actionSequence: jsonField(sequence, "action sequence", where.note),
      effectiveness: asNumber(pattern?.["avg_effectiveness"]),
      context: pattern && jsonField(pattern, "pattern of an action sequence", where.note),
    };
  });
}
