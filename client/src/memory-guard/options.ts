import {
  GUARD_EVERY_MS_DEFAULT,
  GUARD_LEAK_WINDOWS_DEFAULT,
  GUARD_OPERATIONS_DEFAULT,
  GUARD_WINDOW_SAMPLES_DEFAULT,
} from "../limits.js";
import { badOption } from "./bad-option.js";
import { type AttributeLimits, LimitTable } from "./known-attributes.js";
import type { LeakEvent } from "./leak-report.js";

/** How a guard works. Everything has a default. */
export interface MemoryGuardOptions {
  /** Bounds of attributes, in camelCase or snake_case; they replace or join the known ones. @default KNOWN_LIMITS */
  readonly limits?: AttributeLimits | undefined;
  /** An object is cleaned at every so many-th `periodicCleanup` of it. @default 100 */
  readonly everyOperations?: number | undefined;
  /** What is watched is cleaned and sampled this often, in milliseconds; 0: only when asked. @default 10,000 */
  readonly everyMs?: number | undefined;
  /** Samples in a window. @default 6 */
  readonly windowSamples?: number | undefined;
  /** A container leaks that has grown over so many windows in a row. @default 5 */
  readonly leakWindows?: number | undefined;
  /** Called once when something begins to leak, and again only after it had stopped. @default a process warning */
  readonly onLeak?: ((leak: LeakEvent) => void) | undefined;
}

/** Options with every default filled in. */
export interface ResolvedMemoryGuardOptions {
  readonly limits: LimitTable;
  readonly everyOperations: number;
  readonly everyMs: number;
  readonly windowSamples: number;
  readonly leakWindows: number;
  readonly onLeak: ((leak: LeakEvent) => void) | undefined;
}

/** Throws InvalidArgumentError for what cannot be. */
export function resolveMemoryGuardOptions(options: MemoryGuardOptions = {}): ResolvedMemoryGuardOptions {
  return Object.freeze({
    limits: new LimitTable(options.limits),
    everyOperations: whole(options.everyOperations ?? GUARD_OPERATIONS_DEFAULT, "everyOperations", 1),
    everyMs: whole(options.everyMs ?? GUARD_EVERY_MS_DEFAULT, "everyMs", 0),
    windowSamples: whole(options.windowSamples ?? GUARD_WINDOW_SAMPLES_DEFAULT, "windowSamples", 1),
    leakWindows: whole(options.leakWindows ?? GUARD_LEAK_WINDOWS_DEFAULT, "leakWindows", 2),
    onLeak: options.onLeak,
  });
}

function whole(value: number, name: string, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw badOption(`${name} must be a whole number from ${min} on, but is ${value}`);
}
