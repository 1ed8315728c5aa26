/** What of the database a container stands for: a type in a session, of the games that it has written. */

import type { ListRecordsQuestion } from "../query/history.js";
import type { HistoryRecord, RecordTypeName } from "../records/training-record.js";

/** Beyond so many games of one container, games are not told apart any more. */
const GAMES_MAX = 1_000;

export class Scope {
  readonly type: RecordTypeName;
  readonly sessionId: string;
  readonly gameId: string | undefined;
  /** Undefined: all games of the session. */
  #games: Set<string> | undefined;

  constructor(type: RecordTypeName, sessionId: string, gameId: string | undefined) {
    this.type = type;
    this.sessionId = sessionId;
    this.gameId = gameId;
    if (gameId !== undefined) this.#games = new Set([gameId]);
  }

  /** An item of this game was written. */
  wrote(gameId: string | undefined): void {
    if (gameId === this.gameId || gameId === undefined || this.#games === undefined) return;
    this.#games.add(gameId);
    if (this.#games.size > GAMES_MAX) this.#games = undefined;
  }

  /** Whether the server can tell the scope's records by their game. */
  get isOneGame(): boolean {
    return this.gameId !== undefined && this.#games?.size === 1;
  }

  get question(): ListRecordsQuestion {
    const { sessionId, type, gameId } = this;
    return { sessionId, types: [type], ...(this.isOneGame ? { gameId } : {}) };
  }

  has(record: HistoryRecord): boolean {
    return record.type === this.type && (this.#games === undefined || this.#games.has(record.gameId));
  }
}
