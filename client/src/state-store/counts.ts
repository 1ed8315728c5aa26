/** Increments: amounts by field, and their sum with a document. */

import type { JsonValue } from "../records/training-record.js";
import { MARKER_MEMBER } from "./marker.js";
import { badField, isObject, parsed } from "./values.js";

/** How much each field grows. */
export type Amounts = ReadonlyMap<string, number>;

/** Throws InvalidArgumentError for an amount that is no finite number. */
export function checkAmounts(by: Readonly<Record<string, number>>): Map<string, number> {
  const amounts = new Map(Object.entries(by));
  for (const [field, amount] of amounts) {
    if (typeof amount !== "number" || !Number.isFinite(amount)) {
      throw badField(`${JSON.stringify(field)} must grow by a finite number, but is to grow by ${String(amount)}`);
    }
    if (field === MARKER_MEMBER) throw badField(`${MARKER_MEMBER} is the state store's own member: count another one`);
  }
  return amounts;
}

export function addAmounts(to: Map<string, number>, by: Amounts): void {
  for (const [field, amount] of by) to.set(field, (to.get(field) ?? 0) + amount);
}

/** A document that is being counted in. A missing document or field counts as nothing. */
export class Tally {
  readonly #members: Map<string, JsonValue | undefined>;

  /** Throws InvalidArgumentError (NOT_A_COUNTER) for something else than an object. */
  constructor(text: string | undefined) {
    const value = text === undefined ? {} : parsed(text);
    if (!isObject(value)) {
      throw badField("the document is no object, so that nothing in it can be counted", "NOT_A_COUNTER");
    }
    this.#members = new Map(Object.entries(value));
  }

  /** Adds all of it and returns the fields as they are then, or throws InvalidArgumentError (NOT_A_COUNTER) and adds nothing. */
  add(by: Amounts): Record<string, number> {
    const sums = [...by].map(([field, amount]) => [field, this.#sum(field, amount)] as const);
    for (const [field, sum] of sums) this.#members.set(field, sum);
    return Object.fromEntries(sums);
  }

  toText(): string {
    return JSON.stringify(Object.fromEntries(this.#members));
  }

  #sum(field: string, amount: number): number {
    const before = this.#members.get(field) ?? 0;
    const sum = typeof before === "number" ? before + amount : Number.NaN;
    if (Number.isFinite(sum)) return sum;
    const words = `${JSON.stringify(field)} is ${JSON.stringify(before).slice(0, 40)}`;
    throw badField(`${words}: ${amount} cannot be added to it`, "NOT_A_COUNTER");
  }
}

/** The document with the amounts added. Throws like Tally. */
export function addToText(text: string | undefined, by: Amounts): string {
  const tally = new Tally(text);
  tally.add(by);
  return tally.toText();
}
