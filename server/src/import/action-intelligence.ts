/**
 * `action_intelligence_<game>.json`: what was learned about a game's actions. Actions, coordinates and winning sequences
 * become records; the whole file also becomes a state document, because trainers read it back as one, and because
 * transitions (counts under keys such as `((6,), 6, (6,))`) and initial actions fit no column.
 */
import type { TrainingRecord } from "@tailkeep/client";
import { asArray, asInt32, asNumber, asObject, asText, asTimeUs, type JsonObject } from "./fields.js";
import { cleanId, UNKNOWN_ID } from "./identity.js";
import { type ImportItem, jsonField, makeItems, type Note, shortText } from "./items.js";
import type { Json } from "./salvage-json.js";

export function actionIntelligenceItems(root: JsonObject, gameOfName: string, note: Note): ImportItem[] {
  const gameId = cleanId(asText(root["game_id"]) ?? gameOfName);
  const eventTimeUs = asTimeUs(root["last_updated"]);
  const common = { gameId, eventTimeUs };
  const records: TrainingRecord[] = [];
  for (const [action, figures] of Object.entries(asObject(root["effective_actions"]) ?? {})) {
    records.push({
      type: "action_tracking",
      ...common,
      actionType: actionName(action),
      effectiveness: asNumber(asObject(figures)?.["success_rate"]),
      context: jsonField(figures, `action ${action}`, note),
    });
  }
  for (const [action, coordinates] of Object.entries(asObject(root["coordinate_patterns"]) ?? {})) {
    for (const [key, figures] of Object.entries(asObject(coordinates) ?? {})) {
      const [x, y] = coordinatesOf(key);
      if (x === undefined || y === undefined) {
        note(`coordinate ${JSON.stringify(key.slice(0, 40))} is not "x,y": only in the state document`);
        continue;
      }
      records.push({
        type: "coordinate_tracking",
        ...common,
        coordinateX: x,
        coordinateY: y,
        actionType: actionName(action),
        success: everSucceeded(figures),
        context: jsonField(figures, `coordinate ${key}`, note),
      });
    }
  }
  for (const sequence of asArray(root["winning_sequences"])) {
    const figures = asObject(sequence);
    records.push({
      type: "action_tracking",
      ...common,
      actionSequence: jsonField(figures?.["sequence"] ?? sequence, "winning sequence", note),
      context: figures ? jsonField(figures, "winning sequence", note) : { from: "winning_sequences" },
    });
  }
  if (records.length === 0) return [];
  return makeItems(
    { kind: "intelligence", session: UNKNOWN_ID, game: gameId, time: root["last_updated"], content: root },
    records,
  );
}

/** Numbers are written here for what episodes call ACTION1 to ACTION7; both become one name, so that a query finds both. */
function actionName(key: string): string | undefined {
  return /^\d+$/.test(key) ? `ACTION${key}` : shortText(key);
}

function coordinatesOf(key: string): [number | undefined, number | undefined] {
  const match = /^\s*\(?\s*(-?\d+)\s*,\s*(-?\d+)\s*\)?\s*$/.exec(key);
  return match ? [asInt32(Number(match[1])), asInt32(Number(match[2]))] : [undefined, undefined];
}

function everSucceeded(figures: Json): boolean | undefined {
  const successes = asNumber(asObject(figures)?.["successes"]);
  return successes === undefined ? undefined : successes > 0;
}
