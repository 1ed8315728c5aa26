/** What a memory guard tells. */

import type { ContainerKind } from "./kinds.js";
import type { MemoryUsage } from "./memory-usage.js";

/** One container of a watched object. */
export interface ContainerReport {
  /** Where it is: `Trainer.performanceHistory`, `Trainer.memory.episodes`. */
  readonly name: string;
  readonly kind: ContainerKind;
  readonly items: number;
  /** Most items it can hold; undefined if nothing bounds it. */
  readonly capacity: number | undefined;
  /** Items a minute, from the least of the oldest window that is kept to the least of the newest; may be below 0. */
  readonly growthPerMinute: number;
  /** The same for each `periodicCleanup` of its object; undefined if there was none. */
  readonly growthPerOperation: number | undefined;
  /** About what it takes, to a factor of two. */
  readonly estimatedBytes: number;
  /** The same of what it grows by. */
  readonly estimatedBytesPerMinute: number;
  /** Share of the windows in which it has grown, 0 to 1. */
  readonly steadiness: number;
  readonly isLeaking: boolean;
}

/** How the process's memory grows. */
export interface HeapReport {
  /** From the least of the oldest window to the least of the newest: what garbage collection leaves. */
  readonly heapUsedBytesPerMinute: number;
  readonly residentBytesPerMinute: number;
  readonly isLeaking: boolean;
}

/** Everything that a guard knows. */
export interface MemoryReport {
  readonly memory: MemoryUsage;
  readonly heap: HeapReport;
  /** The most suspicious first: those that leak, then by the bytes that they grow by, steady ones before others. */
  readonly containers: readonly ContainerReport[];
  /** Objects that are watched and alive. */
  readonly objects: number;
}

/** Something began to leak. */
export type LeakEvent =
  | { readonly kind: "container"; readonly message: string; readonly container: ContainerReport }
  /** The heap grows and none of the watched containers does. */
  | { readonly kind: "heap"; readonly message: string; readonly heap: HeapReport };
