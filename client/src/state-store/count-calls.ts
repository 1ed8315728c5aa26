/** Increments of several callers that are written as one. */

import { type Amounts, addAmounts, Tally } from "./counts.js";
import type { EngineWrite } from "./places.js";

/** Somebody who waits for an increment. */
export interface CountCall {
  readonly by: Amounts;
  readonly resolve: (result: CountResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface CountResult extends EngineWrite {
  /** The fields after this increment, as far as known. */
  readonly values: Readonly<Record<string, number>>;
}

export interface Sum {
  readonly text: string;
  readonly by: Amounts;
  readonly done: readonly { readonly call: CountCall; readonly values: Record<string, number> }[];
  /** Calls that do not fit the document. */
  readonly misfits: readonly { readonly call: CountCall; readonly error: unknown }[];
}

/** Adds the calls up, in order. */
export function sumUp(before: string | undefined, calls: readonly CountCall[]): Sum {
  const by = new Map<string, number>();
  const done: { call: CountCall; values: Record<string, number> }[] = [];
  let tally: Tally;
  try {
    tally = new Tally(before);
  } catch (error) {
    return { text: "", by, done, misfits: calls.map((call) => ({ call, error })) };
  }
  const misfits: { call: CountCall; error: unknown }[] = [];
  for (const call of calls) {
    try {
      done.push({ call, values: tally.add(call.by) });
      addAmounts(by, call.by);
    } catch (error) {
      misfits.push({ call, error });
    }
  }
  return { text: tally.toText(), by, done, misfits };
}

/** Tells them so, and takes them out of the calls. */
export function reject(misfits: Sum["misfits"], calls: CountCall[]): void {
  for (const { call, error } of misfits) {
    call.reject(error);
    calls.splice(calls.indexOf(call), 1);
  }
}
