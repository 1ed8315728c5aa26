import { systemClock } from "../clock.js";
import { GUARD_LEAK_HEAP_BYTES_MIN, GUARD_OBJECTS_MAX } from "../limits.js";
import { type CleanedAttribute, type CleanupChoice, checkChoice, cleanup } from "./cleanup.js";
import { type AttributeLimits, LimitTable } from "./known-attributes.js";
import type { ContainerReport, HeapReport, LeakEvent, MemoryReport } from "./leak-report.js";
import { type MemoryUsage, monitorMemoryUsage } from "./memory-usage.js";
import { type MemoryGuardOptions, type ResolvedMemoryGuardOptions, resolveMemoryGuardOptions } from "./options.js";
import { Trend } from "./trend.js";
import { WatchedObject } from "./watched-object.js";

/** How an object is watched. */
export interface WatchObjectOptions extends CleanupChoice {
  /** Shown in reports. @default the name of its class */
  readonly name?: string | undefined;
}

/**
 * Bounds the growing containers of a trainer's objects, and finds the one that leaks.
 *
 * `periodicCleanup(this)` in a trainer's loop bounds its known attributes at every hundredth call. What is watched is also
 * cleaned by a timer, and the sizes of all its containers (lists, Maps, Sets, plain objects, three levels deep) are
 * sampled; a container that has grown over several windows in a row is told by `onLeak`. The guard holds objects weakly, its
 * timer never keeps the process alive, and it never throws for what it finds in an object.
 */
export class MemoryGuard {
  /** Options with every default filled in. */
  readonly options: ResolvedMemoryGuardOptions;
  #limits: LimitTable;
  readonly #watched = new Set<WatchedObject>();
  readonly #byObject = new WeakMap<object, WatchedObject>();
  readonly #operations = new WeakMap<object, { count: number }>();
  readonly #names = new Map<string, number>();
  readonly #heap: Trend;
  readonly #resident: Trend;
  #stopTimer: (() => void) | undefined;

  /** Throws InvalidArgumentError for options that cannot be. */
  constructor(options: MemoryGuardOptions = {}) {
    this.options = resolveMemoryGuardOptions(options);
    this.#limits = this.options.limits;
    const { windowSamples, leakWindows } = this.options;
    const settings = { windowSamples, leakWindows, growthMin: GUARD_LEAK_HEAP_BYTES_MIN };
    this.#heap = new Trend(settings);
    this.#resident = new Trend(settings);
  }

  /** Objects that are watched and alive. */
  get size(): number {
    this.#prune();
    return this.#watched.size;
  }

  /**
   * Call it once an operation (an action, an episode): at every `everyOperations`-th call for this object its attributes
   * are bounded; those between cost next to nothing. Returns what became smaller; undefined where nothing was due.
   */
  periodicCleanup(object: object): readonly CleanedAttribute[] | undefined {
    const watched = this.#byObject.get(object);
    let operations = this.#operations.get(object);
    if (operations === undefined) {
      operations = { count: 0 };
      this.#operations.set(object, operations);
    }
    operations.count++;
    if (watched !== undefined) watched.operations = operations.count;
    if (operations.count % this.options.everyOperations !== 0) return undefined;
    return this.cleanup(object);
  }

  /** Bounds an object's attributes now: those that it is watched with, else the known ones. */
  cleanup(object: object): readonly CleanedAttribute[] {
    return cleanup(object, this.#byObject.get(object)?.choice ?? {}, this.#limits);
  }

  /**
   * Cleans an object every `everyMs`, and follows the size of all its containers. May also be a single list, Map, Set or
   * plain object. Returns what ends it; the object's own end does too. Beyond 1,000 objects nothing more is watched,
   * which a process warning says. Throws InvalidArgumentError for options that cannot be.
   */
  watch(object: object, options: WatchObjectOptions = {}): () => void {
    const choice = checkChoice(options);
    const before = this.#byObject.get(object);
    if (before !== undefined) this.#watched.delete(before);
    if (this.size >= GUARD_OBJECTS_MAX) {
      process.emitWarning(`a memory guard watches ${GUARD_OBJECTS_MAX} objects: ${nameOf(object)} is not watched`, {
        type: "TailkeepWarning",
        code: "GUARD_FULL",
      });
      return () => undefined;
    }
    const name = this.#uniqueName(options.name ?? nameOf(object));
    const watched = new WatchedObject(object, name, choice, this.options, () => systemClock.nowMs());
    watched.operations = this.#operations.get(object)?.count ?? 0;
    this.#watched.add(watched);
    this.#byObject.set(object, watched);
    this.#tickLater();
    const reference = new WeakRef(object);
    return () => {
      this.#watched.delete(watched);
      const alive = reference.deref();
      if (alive !== undefined && this.#byObject.get(alive) === watched) this.#byObject.delete(alive);
    };
  }

  /** New bounds by name, from now on; names that are not given have the known ones. Throws like the constructor. */
  setLimits(limits: AttributeLimits): void {
    this.#limits = new LimitTable(limits);
  }

  /** Cleans all that is watched, now. */
  cleanupAll(): void {
    for (const watched of this.#alive()) cleanup(watched.object, watched.watched.choice, this.#limits);
  }

  /** Takes a sample of all that is watched, now, and tells what begins to leak. The timer does it every `everyMs`. */
  sample(): void {
    const { heapUsed, rss } = process.memoryUsage();
    const nowMs = systemClock.nowMs();
    for (const { watched, object } of this.#alive()) {
      for (const found of watched.sample(object)) {
        const container = watched.describe(found);
        this.#tell({ kind: "container", message: leakMessage(container), container });
      }
    }
    this.#resident.add(rss, nowMs, 0);
    if (!this.#heap.add(heapUsed, nowMs, 0) || this.#containers().some(({ isLeaking }) => isLeaking)) return;
    const heap = this.#heapReport();
    const message = `the heap grows by ${Math.round(heap.heapUsedBytesPerMinute)} bytes a minute, and nothing that is watched does: watch more`;
    this.#tell({ kind: "heap", message, heap });
  }

  /** How memory is used, and which containers are suspicious. Takes some microseconds a container. */
  report(): MemoryReport {
    const containers = this.#containers();
    const suspicion = ({ estimatedBytesPerMinute, steadiness }: ContainerReport) =>
      Math.max(0, estimatedBytesPerMinute) * steadiness;
    containers.sort(
      (a, b) =>
        Number(b.isLeaking) - Number(a.isLeaking) || suspicion(b) - suspicion(a) || b.estimatedBytes - a.estimatedBytes,
    );
    return { memory: monitorMemoryUsage(), heap: this.#heapReport(), containers, objects: this.#watched.size };
  }

  /** See the function of this name. */
  monitorMemoryUsage(): MemoryUsage {
    return monitorMemoryUsage();
  }

  /** Stops the timer and watches nothing any more. */
  close(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#watched.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #containers(): ContainerReport[] {
    return this.#alive().flatMap(({ watched, object }) => watched.report(object));
  }

  #heapReport(): HeapReport {
    return {
      heapUsedBytesPerMinute: this.#heap.growth().perMinute,
      residentBytesPerMinute: this.#resident.growth().perMinute,
      isLeaking: this.#heap.isLeaking,
    };
  }

  #alive(): { readonly watched: WatchedObject; readonly object: object }[] {
    this.#prune();
    return [...this.#watched].flatMap((watched) => {
      const { object } = watched;
      return object === undefined ? [] : [{ watched, object }];
    });
  }

  #prune(): void {
    for (const watched of this.#watched) if (watched.object === undefined) this.#watched.delete(watched);
  }

  /** While something is watched: without that the timer would be all that keeps the guard in memory. */
  #tickLater(): void {
    if (this.options.everyMs === 0 || this.#stopTimer !== undefined || this.size === 0) return;
    this.#stopTimer = systemClock.after(this.options.everyMs, () => {
      this.#stopTimer = undefined;
      this.cleanupAll();
      this.sample();
      this.#tickLater();
    });
  }

  #uniqueName(name: string): string {
    const count = (this.#names.get(name) ?? 0) + 1;
    if (this.#names.size < GUARD_OBJECTS_MAX || count > 1) this.#names.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  }

  #tell(leak: LeakEvent): void {
    const { onLeak } = this.options;
    if (onLeak === undefined) {
      process.emitWarning(leak.message, { type: "TailkeepWarning", code: "MEMORY_LEAK" });
      return;
    }
    try {
      onLeak(leak);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), "TailkeepListenerWarning");
    }
  }
}

function nameOf(object: object): string {
  try {
    const made = (object as { readonly constructor?: unknown }).constructor;
    if (typeof made === "function" && made.name !== "") return made.name;
  } catch {
    // A Proxy or a getter that refuses.
  }
  return "object";
}

function leakMessage({ name, items, growthPerMinute, estimatedBytesPerMinute }: ContainerReport): string {
  return (
    `${name} grows steadily: ${items} items, ${Math.round(growthPerMinute)} more a minute, about ` +
    `${estimatedBytesPerMinute} bytes a minute; bound it, for instance by a BoundedList or a BoundedDict`
  );
}
