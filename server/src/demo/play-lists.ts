/**
 * What a trainer keeps of its play: lists that used to grow, here bounded. Memory has the newest items of each; the
 * recorder brings all of them to the server.
 */
import {
  DatabaseBoundedList,
  type ItemBound,
  RECORD_TYPE_NAMES,
  type Recorder,
  type RecordTypeName,
  type TrainingRecord,
} from "@tailkeep/client";
import { GAME_ID } from "./grid-game.js";
import { PlayRecorder } from "./record-play.js";
import type { EpisodeEvent, TrainingEvent } from "./training.js";

/** Items of each list in memory: enough for every figure that the trainer looks at. */
const CAPACITY = 100;

export type PlayList = DatabaseBoundedList<RecordTypeName, ItemBound<RecordTypeName>>;

export class PlayLists {
  readonly byType: Readonly<Record<RecordTypeName, PlayList>>;
  readonly #recorder = new PlayRecorder();

  constructor(recorder: Recorder, sessionId: string) {
    const options = { capacity: CAPACITY, gameId: GAME_ID, sessionId, recorder };
    this.byType = Object.fromEntries(
      RECORD_TYPE_NAMES.map((type) => [type, new DatabaseBoundedList(type, options)]),
    ) as Record<RecordTypeName, PlayList>;
  }

  /** Keeps what of an event is worth keeping. */
  keep(event: TrainingEvent): void {
    for (const record of this.#recorder.recordsOf(event)) this.byType[record.type].append(itemOf(record));
  }
}

/** The fields of a record as an item of its list: type and game are the list's, the time is when it is appended. */
export function itemOf({ type: _type, gameId: _gameId, eventTimeUs: _time, ...fields }: TrainingRecord): object {
  return fields;
}

/** Keeps all events, in order. After each episode the event loop gets its turn: records leave while the learner plays. */
export async function recordPlay(
  lists: Pick<PlayLists, "keep">,
  events: Iterable<TrainingEvent>,
  afterEpisode: (end: EpisodeEvent) => Promise<void>,
): Promise<void> {
  for (const event of events) {
    lists.keep(event);
    if (event.kind === "episode") await afterEpisode(event);
  }
}
