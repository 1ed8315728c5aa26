/**
 * What other servers on the same database commit to sessions: found by looking at how far these are, and told as what was
 * committed here is. Without it a page of this server would call a session stuck that another server is busy with, and a
 * call could delete one that is being written.
 */
import type { Clock } from "../../base/clock.js";
import { ACTIVITY_LOOK_MS, ACTIVITY_LOOK_SHARE, ACTIVITY_SESSIONS_MAX } from "../../limits.js";
import type { StreamCounts } from "../../store/model.js";
import type { Store } from "../../store/store.js";
import type { Traffic } from "./traffic.js";

interface Known {
  /** What the database had of the session at the last look. */
  readonly inAll: StreamCounts;
  /** What was told of it until then. */
  readonly told: StreamCounts;
  /** Looks in succession, this one the last, that found more than was told. */
  readonly looksWritten: number;
}

/** One look may be ahead of what is about to be told here; two in succession are somebody else. */
const LOOKS_WRITTEN_MIN = 2;

export class Elsewhere {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #traffic: Traffic;
  #known: ReadonlyMap<string, Known> = new Map();

  constructor(store: Store, clock: Clock, traffic: Traffic) {
    this.#store = store;
    this.#clock = clock;
    this.#traffic = traffic;
  }

  /** Until aborted; where no other server can be, it ends at once. */
  async keep(signal: AbortSignal, isUp: () => boolean): Promise<void> {
    if (!this.#store.capabilities.sharedByServers) return;
    let pauseMs = 0;
    while (!signal.aborted) {
      await this.#clock.sleep(Math.max(ACTIVITY_LOOK_MS, pauseMs), signal);
      if (signal.aborted || !isUp()) continue;
      const beganMs = this.#clock.monotonicMs();
      // A store that is away is reported by the commits.
      await this.look().catch(() => undefined);
      pauseMs = (this.#clock.monotonicMs() - beganMs) / ACTIVITY_LOOK_SHARE;
    }
  }

  /** Whether another server has been storing records of a session, as far as the last looks tell. */
  isWritten(namespace: string, sessionId: string): boolean {
    return (this.#known.get(nameOf(namespace, sessionId))?.looksWritten ?? 0) >= LOOKS_WRITTEN_MIN;
  }

  /** @throws StoreError */
  async look(): Promise<void> {
    const running = await this.#store.reads.runningCounts(ACTIVITY_SESSIONS_MAX);
    // A commit of this server may be in the database and not yet be told here.
    await this.#clock.sleep(0);
    const { activity } = this.#traffic;
    const nowUs = this.#clock.nowUs();
    const found = new Map<string, Known>();
    for (const { namespace, sessionId, counts } of running) {
      const key = nameOf(namespace, sessionId);
      const known = this.#known.get(key);
      const told = activity.countsOf(namespace, sessionId);
      let looksWritten = 0;
      // At the first look nobody knows what of it is new to a page that has asked for the session's records before.
      if (told === undefined) activity.opened(namespace, sessionId, nowUs);
      else if (known === undefined) activity.noticed(namespace, sessionId);
      else {
        const news = beyond(known, counts, told);
        if (news.stored + news.rejected + news.gapped > 0) {
          activity.committed(namespace, sessionId, nowUs, news);
          looksWritten = known.looksWritten + 1;
        }
      }
      found.set(key, { inAll: counts, told: activity.countsOf(namespace, sessionId) ?? counts, looksWritten });
    }
    // What is not running any more has ended or was deleted, wherever that was done.
    if ([...this.#known.keys()].some((key) => !found.has(key))) this.#traffic.sessionsChanged();
    this.#known = found;
  }
}

function nameOf(namespace: string, sessionId: string): string {
  return `${namespace}\u0000${sessionId}`;
}

/** What came since `known` and was not told. */
function beyond(known: Known, inAll: StreamCounts, told: StreamCounts): StreamCounts {
  const of = (count: keyof StreamCounts) =>
    Math.max(0, inAll[count] - known.inAll[count] - Math.max(0, told[count] - known.told[count]));
  return { stored: of("stored"), rejected: of("rejected"), gapped: of("gapped") };
}
