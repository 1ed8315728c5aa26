/** One object that a guard watches, held weakly: its containers by path, and how each grows. */

import { GUARD_COUNTING_MS_FREE, GUARD_COUNTING_SHARE_MAX, GUARD_LEAK_ITEMS_MIN } from "../limits.js";
import type { CleanupChoice } from "./cleanup.js";
import { estimateContainerBytes } from "./estimate-bytes.js";
import { type FoundContainer, findContainers, GROUP_KEYS_MAX } from "./find-containers.js";
import { capacityOf, sizeOf } from "./kinds.js";
import type { ContainerReport } from "./leak-report.js";
import { Trend, type TrendSettings } from "./trend.js";

interface Track {
  readonly trend: Trend;
  items: number;
  /** Not before that is it counted again. */
  countAtMs: number;
}

export class WatchedObject {
  readonly name: string;
  readonly choice: CleanupChoice;
  readonly #reference: WeakRef<object>;
  readonly #settings: TrendSettings;
  readonly #nowMs: () => number;
  readonly #tracks = new Map<string, Track>();
  operations = 0;

  constructor(
    object: object,
    name: string,
    choice: CleanupChoice,
    settings: Omit<TrendSettings, "growthMin">,
    nowMs: () => number,
  ) {
    this.#reference = new WeakRef(object);
    this.name = name;
    this.choice = choice;
    this.#settings = { ...settings, growthMin: GUARD_LEAK_ITEMS_MIN };
    this.#nowMs = nowMs;
  }

  /** Undefined once it was collected. */
  get object(): object | undefined {
    return this.#reference.deref();
  }

  /** Returns the containers that begin to leak. */
  sample(object: object): FoundContainer[] {
    const leaking: FoundContainer[] = [];
    const found = this.#find(object);
    const paths = new Set(found.map(({ path }) => path));
    for (const path of this.#tracks.keys()) if (!paths.has(path)) this.#tracks.delete(path);
    for (const each of found) {
      let track = this.#tracks.get(each.path);
      if (track === undefined) {
        track = { trend: new Trend(this.#settings), items: 0, countAtMs: 0 };
        this.#tracks.set(each.path, track);
      }
      if (!this.#count(track, each)) continue;
      if (track.trend.add(track.items, this.#nowMs(), this.operations)) leaking.push(each);
    }
    return leaking;
  }

  report(object: object): ContainerReport[] {
    return this.#find(object).map((each) => this.describe(each));
  }

  describe({ path, kind, container }: FoundContainer): ContainerReport {
    const track = this.#tracks.get(path);
    const items = track?.items ?? safely(() => sizeOf(container, kind));
    const estimatedBytes = safely(() => estimateContainerBytes(container, kind));
    const { perMinute, perOperation, steadiness } = track?.trend.growth() ?? NO_GROWTH;
    return {
      name: path === "" ? this.name : `${this.name}.${path}`,
      kind,
      items,
      capacity: capacityOf(container),
      growthPerMinute: perMinute,
      growthPerOperation: perOperation,
      estimatedBytes,
      estimatedBytesPerMinute: items > 0 ? Math.round((estimatedBytes / items) * perMinute) : 0,
      steadiness,
      isLeaking: track?.trend.isLeaking ?? false,
    };
  }

  #find(object: object): FoundContainer[] {
    return findContainers(object, (path) => (this.#tracks.get(path)?.items ?? 0) > GROUP_KEYS_MAX);
  }

  /**
   * Lists, Maps and Sets know their size. The keys of a plain object must be counted; one that takes long is counted less
   * often. Returns whether it was counted now.
   */
  #count(track: Track, { container, kind }: FoundContainer): boolean {
    const beginMs = this.#nowMs();
    if (beginMs < track.countAtMs) return false;
    track.items = safely(() => sizeOf(container, kind));
    const tookMs = this.#nowMs() - beginMs;
    if (tookMs > GUARD_COUNTING_MS_FREE) track.countAtMs = beginMs + tookMs / GUARD_COUNTING_SHARE_MAX;
    return true;
  }
}

const NO_GROWTH = { perMinute: 0, perOperation: undefined, steadiness: 0 } as const;

/** A Proxy may throw at any question. */
function safely(ask: () => number): number {
  try {
    return ask();
  } catch {
    return 0;
  }
}
