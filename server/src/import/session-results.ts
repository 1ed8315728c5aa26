/**
 * Session results: any file in which an object has `games_played`, alone (`session_session_*_final.json`) or inside the
 * report of a run (`master_training_results_*.json`, `unified_trainer_results.json`), which may hold several sessions
 * and each more than once.
 *
 * - Every object in an `episodes` list, also those that `swarm_results` repeats, is an episode (episodes.ts).
 * - Each session is an item: its overall aggregates, and those of each game, as performance_history. Its metadata has
 *   the rest of the object, with the episodes replaced by their number.
 * - What a run says around its sessions is an item: performance_history with all of it in metadata, and one more for each
 *   `session_results[].performance`.
 */
import type { TrainingRecord } from "@tailkeep/client";
import { episodeItems } from "./episodes.js";
import { asArray, asNumber, asObject, asText, asTimeUs, type JsonObject, objectsIn } from "./fields.js";
import { cleanId } from "./identity.js";
import { type ImportItem, jsonField, makeItems, type Note } from "./items.js";
import { JSON_DEPTH_MAX } from "./limits.js";
import type { Json } from "./salvage-json.js";

export function sessionResultItems(root: JsonObject, fileStem: string, note: Note): ImportItem[] {
  const sessions: JsonObject[] = [];
  const around = withoutSessions(root, sessions, 0);
  const items = sessions.flatMap((session) => sessionItems(session, fallbackName(root, fileStem), note));
  const outer = asObject(around);
  if (outer && around !== ROOT_IS_SESSION && Object.keys(outer).length > 0) {
    items.push(...runItems(outer, sessions, fileStem, note));
  }
  return items;
}

/** True if an episode is anywhere in it: then a file of any name is session results. */
export function holdsEpisodes(value: Json, depth = 0): boolean {
  if (depth > JSON_DEPTH_MAX || typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((element) => holdsEpisodes(element, depth + 1));
  if (isSession(value) && takeEpisodes(value).episodes.length > 0) return true;
  return Object.values(value).some((member) => holdsEpisodes(member, depth + 1));
}

const ROOT_IS_SESSION: JsonObject = {};

function isSession(value: JsonObject): boolean {
  return asObject(value["games_played"]) !== undefined;
}

function fallbackName(root: JsonObject, fileStem: string): string {
  return asText(root["session_id"]) ?? fileStem;
}

/** Collects the sessions of a report and returns the rest of it, with the id of each session in its place. */
function withoutSessions(value: Json, sessions: JsonObject[], depth: number): Json {
  if (typeof value !== "object" || value === null || depth > JSON_DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((element) => withoutSessions(element, sessions, depth + 1));
  if (isSession(value)) {
    sessions.push(value);
    return depth === 0 ? ROOT_IS_SESSION : { imported_session: value["session_id"] ?? null };
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutSessions(member, sessions, depth + 1)]),
  );
}

interface FoundEpisode {
  readonly episode: JsonObject;
  readonly game: string | undefined;
}

/** Collects the episodes of a session and returns the rest of it, with their number in their place. */
function takeEpisodes(session: JsonObject): { episodes: FoundEpisode[]; rest: JsonObject } {
  const found: FoundEpisode[] = [];
  const walk = (value: Json, game: string | undefined, depth: number): Json => {
    if (typeof value !== "object" || value === null || depth > JSON_DEPTH_MAX) return value;
    if (Array.isArray(value)) return value.map((element) => walk(element, game, depth + 1));
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const episodes = key === "episodes" ? objectsIn(member) : [];
        if (episodes.length === 0) return [key, walk(member, gameOf(key, member) ?? game, depth + 1)];
        for (const episode of episodes) found.push({ episode, game });
        const others = asArray(member).filter((element) => asObject(element) === undefined);
        return [key, [...others, { imported_episodes: episodes.length }]];
      }),
    );
  };
  const rest = walk(session, undefined, 0) as JsonObject;
  return { episodes: found, rest };
}

/** An object with episodes says its game, or is the member of that name in `games_played` or `games_completed`. */
function gameOf(key: string, value: Json): string | undefined {
  const object = asObject(value);
  return object?.["episodes"] === undefined ? undefined : (asText(object["game_id"]) ?? key);
}

function sessionItems(session: JsonObject, fallback: string, note: Note): ImportItem[] {
  const id = asText(session["session_id"]) ?? fallback;
  const { episodes, rest } = takeEpisodes(session);
  const items = episodes.flatMap(({ episode, game }) => episodeItems({ episode, game, session: id }, note));
  const eventTimeUs = asTimeUs(session["end_time"]) ?? asTimeUs(session["start_time"]);
  const overall = asObject(session["overall_performance"]);
  const records: TrainingRecord[] = [
    {
      type: "performance_history",
      eventTimeUs,
      score: asNumber(overall?.["overall_average_score"]),
      winRate: asNumber(overall?.["overall_win_rate"]),
      learningEfficiency: asNumber(overall?.["learning_efficiency"]),
      metadata: jsonField(rest, `session ${cleanId(id)}`, note),
    },
    ...gameRecords(asObject(session["games_played"]) ?? {}, eventTimeUs, note),
  ];
  return [
    ...items,
    ...makeItems({ kind: "session", session: id, time: session["start_time"], content: rest }, records),
  ];
}

/** Aggregates of each game that has any: a game of which nothing was played has an empty object there. */
function gameRecords(games: JsonObject, eventTimeUs: number | undefined, note: Note): TrainingRecord[] {
  return Object.entries(games).flatMap(([key, value]) => {
    const game = asObject(value);
    const metrics = asObject(game?.["performance_metrics"]);
    if (!metrics || Object.keys(metrics).length === 0) return [];
    const gameId = cleanId(asText(game?.["game_id"]) ?? key);
    return [
      {
        type: "performance_history",
        gameId,
        eventTimeUs,
        score: asNumber(metrics["average_score"]),
        winRate: asNumber(metrics["win_rate"]),
        metadata: jsonField(metrics, `metrics of ${gameId}`, note),
      },
    ];
  });
}

function runItems(run: JsonObject, sessions: readonly JsonObject[], fileStem: string, note: Note): ImportItem[] {
  const session =
    asText(run["session_id"]) ?? sessions.map((inner) => asText(inner["session_id"])).find(Boolean) ?? fileStem;
  const endTimes = sessions.flatMap((inner) => asTimeUs(inner["end_time"]) ?? []);
  // Its own timestamp is local time without a zone; the end of its last session and its name are epoch seconds.
  const eventTimeUs =
    endTimes.length > 0
      ? endTimes.reduce((a, b) => Math.max(a, b))
      : (timeOfName(fileStem) ?? asTimeUs(run["timestamp"]));
  const records: TrainingRecord[] = [
    { type: "performance_history", eventTimeUs, metadata: jsonField(run, `run of ${cleanId(session)}`, note) },
  ];
  for (const result of objectsIn(run["session_results"])) {
    const performance = asObject(result["performance"]);
    if (!performance) continue;
    records.push({
      type: "performance_history",
      eventTimeUs,
      score: asNumber(performance["avg_score"]),
      winRate: asNumber(performance["win_rate"]),
      learningEfficiency: asNumber(performance["learning_efficiency"]),
      metadata: jsonField(result, `session result of ${cleanId(session)}`, note),
    });
  }
  return makeItems({ kind: "run", session, time: run["timestamp"], content: run }, records);
}

function timeOfName(fileStem: string): number | undefined {
  const seconds = /_(\d{10})$/.exec(fileStem)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000_000;
}
