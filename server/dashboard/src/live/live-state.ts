/** What the pages know live: one object that changes as a whole, and tells whoever shows it, once a frame. */
import { useEffect, useState } from "preact/hooks";
import type { ApiError } from "../api.js";
import type { Gap, StoredRecord } from "../model.js";
import { followEvents } from "./event-stream.js";

/** Newest events of the watched session that are kept for its tail. */
const TAIL_MAX = 200;
/** As many as the server keeps. */
const SAMPLES_MAX = 720;
const SAMPLE_INTERVAL_MS = 5_000;

export interface Now {
  atMs: number;
  receivedPerSecond: number;
  receivedBytesPerSecond: number;
  committedPerSecond: number;
  ingestBytes: number;
  ingestBytesMax: number;
  cacheBytes: number;
  cacheBytesMax: number;
  cacheSessions: number;
  residentBytes: number;
  residentBytesMax: number;
  waitingRecords: number;
  openStreams: number;
  watchers: number;
  storeUp: boolean;
  durable: boolean;
  problem?: string;
  rejected: number;
  gapped: number;
  skipped: number;
}

export interface Activity {
  sessionId: string;
  openedAtUs: number;
  committedAtUs: number;
  stored: number;
  rejected: number;
  gapped: number;
}

export interface HeardActivity extends Activity {
  /** Moves whenever the server told something of the session: its records may have changed. */
  news: number;
}

export type TailItem =
  | { kind: "record"; record: StoredRecord }
  | { kind: "gap"; gap: Gap }
  | { kind: "missed"; streamId: string; firstSeq: number; lastSeq: number };

export interface LiveState {
  connection: "connecting" | "live" | "waiting";
  refused: ApiError | undefined;
  now: Now | undefined;
  /** By name of the field, all of one length, oldest first. */
  past: Readonly<Record<string, readonly number[]>>;
  activity: ReadonlyMap<string, HeardActivity>;
  /** Moves where the list of sessions should be asked for again. */
  sessionsVersion: number;
  /** Moves where a session of the namespace lost something. */
  lossesVersion: number;
  /** Newest last. */
  tail: readonly TailItem[];
  /** Moves with every record of the watched session. */
  tailVersion: number;
}

const EMPTY: LiveState = {
  connection: "connecting",
  refused: undefined,
  now: undefined,
  past: {},
  activity: new Map(),
  sessionsVersion: 0,
  lossesVersion: 0,
  tail: [],
  tailVersion: 0,
};

class Live {
  #state = EMPTY;
  #abort: AbortController | undefined;
  readonly #listeners = new Set<(state: LiveState) => void>();
  #frame = 0;

  get state(): LiveState {
    return this.#state;
  }

  subscribe(listener: (state: LiveState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows the server, and a session unless its id is empty, until it is called again. */
  follow(sessionId: string): void {
    this.#abort?.abort();
    this.#abort = new AbortController();
    this.#change({ tail: [], refused: undefined });
    const { signal } = this.#abort;
    const listener = {
      event: (name: string, data: unknown) => this.#event(name, data),
      state: (connection: "live" | "waiting") => this.#change({ connection }),
      refused: (refused: ApiError) => this.#change({ refused, connection: "waiting" }),
    };
    followEvents(sessionId, listener, signal).catch(() => this.#change({ connection: "waiting" }));
  }

  stop(): void {
    this.#abort?.abort();
  }

  /** Something about the sessions was changed from this page. */
  refreshSessions(): void {
    this.#change({ sessionsVersion: this.#state.sessionsVersion + 1 });
  }

  #event(name: string, data: unknown): void {
    switch (name) {
      case "past":
        this.#change({ past: columns(data as { fields: string[]; samples: number[][] }) });
        break;
      case "now":
        this.#now(data as Now);
        break;
      case "activity":
        this.#activity(data as Activity[]);
        break;
      case "sessions":
        this.#change({ sessionsVersion: this.#state.sessionsVersion + 1 });
        break;
      case "record":
        this.#tail({ kind: "record", record: data as StoredRecord });
        break;
      case "gap":
        this.#tail({ kind: "gap", gap: data as Gap });
        break;
      case "missed":
        this.#tail({ kind: "missed", ...(data as { streamId: string; firstSeq: number; lastSeq: number }) });
        break;
    }
  }

  #now(now: Now): void {
    const { past } = this.#state;
    const last = past["atMs"]?.at(-1) ?? 0;
    const isDue = now.atMs - last >= SAMPLE_INTERVAL_MS;
    this.#change({ now, ...(isDue ? { past: withSample(past, now) } : {}) });
  }

  #activity(changed: readonly Activity[]): void {
    const activity = new Map(this.#state.activity);
    let hasLost = false;
    let isNew = false;
    for (const each of changed) {
      const before = activity.get(each.sessionId);
      hasLost ||= each.rejected + each.gapped > (before?.rejected ?? 0) + (before?.gapped ?? 0);
      isNew ||= before === undefined;
      activity.set(each.sessionId, { ...each, news: (before?.news ?? 0) + 1 });
    }
    const { lossesVersion, sessionsVersion } = this.#state;
    this.#change({
      activity,
      ...(hasLost ? { lossesVersion: lossesVersion + 1 } : {}),
      ...(isNew ? { sessionsVersion: sessionsVersion + 1 } : {}),
    });
  }

  #tail(item: TailItem): void {
    const { tail, tailVersion } = this.#state;
    this.#change({ tail: [...tail.slice(1 - TAIL_MAX), item], tailVersion: tailVersion + 1 });
  }

  #change(change: Partial<LiveState>): void {
    this.#state = { ...this.#state, ...change };
    // Records may come by the thousand; a screen shows sixty changes a second at most.
    if (this.#frame !== 0) return;
    this.#frame = window.setTimeout(() => {
      this.#frame = 0;
      for (const listener of this.#listeners) listener(this.#state);
    }, 100);
  }
}

export const live = new Live();

export function useLive(): LiveState {
  const [state, setState] = useState(live.state);
  useEffect(() => {
    setState(live.state);
    return live.subscribe(setState);
  }, []);
  return state;
}

function columns({ fields, samples }: { fields: string[]; samples: number[][] }): Record<string, number[]> {
  return Object.fromEntries(fields.map((field, at) => [field, samples.map((sample) => sample[at] ?? 0)]));
}

function withSample(past: LiveState["past"], now: Now): Record<string, number[]> {
  const entries = Object.entries(past).map(([field, values]) => {
    const value = now[field as keyof Now];
    return [field, [...values.slice(1 - SAMPLES_MAX), typeof value === "number" ? value : 0]];
  });
  return Object.fromEntries(entries) as Record<string, number[]>;
}
