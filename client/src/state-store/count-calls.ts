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
}

/** Adds the calls up, in order; one that does not fit the document is rejected and left out, for good. */
export function sumUp(before: string | undefined, calls: CountCall[]): Sum {
  const tally = new Tally(before);
  const by = new Map<string, number>();
  const done: { call: CountCall; values: Record<string, number> }[] = [];
  for (const call of calls.splice(0)) {
    try {
      const values = tally.add(call.by);
      calls.push(call);
      addAmounts(by, call.by);
      done.push({ call, values });
    } catch (error) {
      call.reject(error);
    }
  }
  return { text: tally.toText(), by, done };
}
