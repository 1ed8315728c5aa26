/** What ties a container to its recorder: the stream that takes its records, and the part of the database it stands for. */

import type { RecordWatch } from "../query/watch.js";
import type { Lane } from "../recorder/lane.js";
import { getDefaultRecorder } from "../recorder/open-recorder.js";
import type { Recorder } from "../recorder/recorder.js";
import { id } from "../records/id.js";
import { recordTypeNamed } from "../records/names.js";
import type { HistoryRecord, RecordTypeName, TrainingRecord } from "../records/training-record.js";
import type { CallOptions } from "../transport/unary-call.js";
import { Scope } from "./scope.js";

/** Where a container's writes go. */
export interface BindingOptions {
  /** The game of writes that name none, 1 to 128 characters. @default none: "unknown", as the server stores it */
  readonly gameId?: string | undefined;
  /** The training run, 1 to 128 characters. @default the recorder's session, env TAILKEEP_SESSION, else "unknown" */
  readonly sessionId?: string | undefined;
  /** @default the process's recorder, made from the environment */
  readonly recorder?: Recorder | undefined;
}

/** How a container is watched. */
export interface ContainerWatchOptions {
  /** Newest records to begin with, at most 1,000. @default 0 */
  readonly snapshotLimit?: number | undefined;
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined;
}

const NOT_RECORDED = 0;

export class Binding {
  readonly recorder: Recorder;
  readonly scope: Scope;
  readonly #isOff: boolean;
  #lane: Lane;

  constructor(type: RecordTypeName, options: BindingOptions) {
    this.recorder = options.recorder ?? getDefaultRecorder();
    const sessionId = id(options.sessionId ?? this.recorder.options.connect.sessionId, "sessionId");
    const gameId = options.gameId === undefined ? undefined : id(options.gameId, "gameId");
    this.scope = new Scope(recordTypeNamed(type), sessionId, gameId);
    this.#isOff = !this.recorder.options.recording;
    this.#lane = this.recorder.lane(sessionId, type);
  }

  /** The stream that is written now: a long pause may have closed the one before. */
  get lane(): Lane {
    if (this.#lane.isRetired) this.#lane = this.recorder.lane(this.scope.sessionId, this.scope.type);
    return this.#lane;
  }

  /** The record's number, or 0 or less if it was given up, refused or not to be recorded. Never throws. */
  append(record: TrainingRecord): number {
    if (this.#isOff) return NOT_RECORDED;
    this.scope.wrote(record.gameId);
    return this.lane.append(record);
  }

  /** A record that could not even be made. */
  refuse(error: unknown): void {
    if (!this.#isOff) this.lane.refuse(error);
  }

  /** The newest records of the container's part of the database, newest last. */
  async tail(limit: number, options: CallOptions): Promise<HistoryRecord[]> {
    const { sessionId, type, gameId } = this.scope;
    const records = await this.recorder.client.history.tailRecords(
      { sessionId, types: [type], limit, ...(this.scope.isOneGame ? { gameId } : {}) },
      options,
    );
    return records.filter((record) => this.scope.has(record));
  }

  watch({ snapshotLimit, signal }: ContainerWatchOptions): RecordWatch {
    const { sessionId, type } = this.scope;
    return this.recorder.client.history.watchRecords({ sessionId, types: [type], snapshotLimit }, { signal });
  }
}
