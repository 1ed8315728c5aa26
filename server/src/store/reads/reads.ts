/** Every question the server asks of a store, the same for both: built with Kysely, run by the store. */
import { key, keysVersion, listKeys, liveKeys } from "./api-keys.js";
import { listConfigChanges, newestConfig } from "./config.js";
import type { Execute, QueryBuilder, Source } from "./database.js";
import { expiryRuns } from "./expiry.js";
import { deadLettersBetween, gapsBetween, listDeadLetters, listGaps } from "./losses.js";
import { listRecords, listStreamPage, listStreamRange } from "./records.js";
import { laggingStreams, nodeRange, nodesAt, rollupStream, rollupStreams } from "./rollups.js";
import { runningCounts } from "./running.js";
import { seriesRows } from "./series-rows.js";
import { abandonedDeletions, listSessionPage, listSessions, pins, session } from "./sessions.js";
import { listStates, state } from "./states.js";
import { ledger, readSessionVersion, sessionTotals, statistics, streamsOf } from "./streams.js";

export type { DeadLetterRow, GapRow, StreamCursor } from "./losses.js";
export type { LaggingStream, RollupStreamRow } from "./rollups.js";
export type { SeriesRange, SeriesRow } from "./series-rows.js";
export type { SessionRow } from "./sessions.js";
export {
  type LedgerRow,
  type SessionStream,
  type SessionVersion,
  type StreamProgress,
  sessionVersion,
} from "./streams.js";

/** What a question is asked with, besides where. */
type Rest<Question> = Question extends (source: Source, ...rest: infer Arguments) => unknown ? Arguments : never;

export class Reads {
  readonly #source: Source;

  constructor(db: QueryBuilder, execute: Execute, traits: Pick<Source, "hintsIndexes" | "keyBlocks">) {
    this.#source = { db, execute, ...traits };
  }

  listRecords(...args: Rest<typeof listRecords>) {
    return listRecords(this.#source, ...args);
  }

  listStreamRange(...args: Rest<typeof listStreamRange>) {
    return listStreamRange(this.#source, ...args);
  }

  listStreamPage(...args: Rest<typeof listStreamPage>) {
    return listStreamPage(this.#source, ...args);
  }

  session(...args: Rest<typeof session>) {
    return session(this.#source, ...args);
  }

  listSessions(...args: Rest<typeof listSessions>) {
    return listSessions(this.#source, ...args);
  }

  listSessionPage(...args: Rest<typeof listSessionPage>) {
    return listSessionPage(this.#source, ...args);
  }

  sessionTotals(...args: Rest<typeof sessionTotals>) {
    return sessionTotals(this.#source, ...args);
  }

  runningCounts(...args: Rest<typeof runningCounts>) {
    return runningCounts(this.#source, ...args);
  }

  sessionVersion(...args: Rest<typeof readSessionVersion>) {
    return readSessionVersion(this.#source, ...args);
  }

  streamsOf(...args: Rest<typeof streamsOf>) {
    return streamsOf(this.#source, ...args);
  }

  ledger(...args: Rest<typeof ledger>) {
    return ledger(this.#source, ...args);
  }

  statistics(...args: Rest<typeof statistics>) {
    return statistics(this.#source, ...args);
  }

  listGaps(...args: Rest<typeof listGaps>) {
    return listGaps(this.#source, ...args);
  }

  gapsBetween(...args: Rest<typeof gapsBetween>) {
    return gapsBetween(this.#source, ...args);
  }

  listDeadLetters(...args: Rest<typeof listDeadLetters>) {
    return listDeadLetters(this.#source, ...args);
  }

  deadLettersBetween(...args: Rest<typeof deadLettersBetween>) {
    return deadLettersBetween(this.#source, ...args);
  }

  state(...args: Rest<typeof state>) {
    return state(this.#source, ...args);
  }

  listStates(...args: Rest<typeof listStates>) {
    return listStates(this.#source, ...args);
  }

  newestConfig() {
    return newestConfig(this.#source);
  }

  listConfigChanges(...args: Rest<typeof listConfigChanges>) {
    return listConfigChanges(this.#source, ...args);
  }

  pins() {
    return pins(this.#source);
  }

  expiryRuns() {
    return expiryRuns(this.#source);
  }

  keysVersion() {
    return keysVersion(this.#source);
  }

  liveKeys(...args: Rest<typeof liveKeys>) {
    return liveKeys(this.#source, ...args);
  }

  key(...args: Rest<typeof key>) {
    return key(this.#source, ...args);
  }

  listKeys(...args: Rest<typeof listKeys>) {
    return listKeys(this.#source, ...args);
  }

  rollupStreams(...args: Rest<typeof rollupStreams>) {
    return rollupStreams(this.#source, ...args);
  }

  rollupStream(...args: Rest<typeof rollupStream>) {
    return rollupStream(this.#source, ...args);
  }

  nodeRange(...args: Rest<typeof nodeRange>) {
    return nodeRange(this.#source, ...args);
  }

  nodesAt(...args: Rest<typeof nodesAt>) {
    return nodesAt(this.#source, ...args);
  }

  seriesRows(...args: Rest<typeof seriesRows>) {
    return seriesRows(this.#source, ...args);
  }

  laggingStreams(...args: Rest<typeof laggingStreams>) {
    return laggingStreams(this.#source, ...args);
  }

  abandonedDeletions(...args: Rest<typeof abandonedDeletions>) {
    return abandonedDeletions(this.#source, ...args);
  }
}
