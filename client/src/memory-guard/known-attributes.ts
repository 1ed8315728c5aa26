/** Attributes of a trainer that are known to grow, and how far they may: names and bounds of the earlier system. */

import { badOption } from "./bad-option.js";

/** Bounds by name, in camelCase; the same attributes in snake_case have them too. */
export const KNOWN_LIMITS = Object.freeze({
  performanceHistory: 100,
  sessionHistory: 100,
  governorDecisions: 100,
  architectEvolutions: 100,
  actionHistory: 1_000,
  actionSequences: 500,
  winningActionSequences: 200,
  coordinateTracking: 500,
  coordinateAttempts: 500,
  triedCoordinates: 500,
  frameHistory: 50,
  frameTracking: 50,
  stagnationTracker: 100,
});

/** Items by attribute, named in camelCase or snake_case. */
export type AttributeLimits = Readonly<Record<string, number>>;

/** Bounds of attributes, whatever their spelling. */
export class LimitTable {
  readonly #byName: ReadonlyMap<string, number>;

  /** Throws InvalidArgumentError for a bound that is no whole number from 0 on. */
  constructor(limits: AttributeLimits = {}) {
    const byName = new Map<string, number>(Object.entries(KNOWN_LIMITS));
    for (const [name, limit] of Object.entries(limits)) {
      if (!Number.isSafeInteger(limit) || limit < 0) {
        throw badOption(`the limit of ${name} must be a whole number from 0 on, but is ${limit}`);
      }
      byName.set(plainName(name), limit);
    }
    this.#byName = byName;
  }

  /** Undefined for a name that has none. */
  of(name: string): number | undefined {
    return this.#byName.get(plainName(name));
  }
}

/** `performance_history`, `_performanceHistory` and `performanceHistory` are one. */
function plainName(name: string): string {
  return name.replace(/^[_#]+/, "").replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
