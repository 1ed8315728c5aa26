/** One thing at a time for each document, in the order asked; different documents do not wait for each other. */

import { ResourceExhaustedError } from "../errors/errors.js";
import { STATE_PENDING_DOCUMENTS_MAX } from "../limits.js";

/** Work that others may join as long as it is the last that waits for its document: nothing comes between them. */
export type Joinable = object;

export class Turns {
  readonly #tails = new Map<string, Promise<void>>();
  readonly #joinable = new Map<string, Joinable>();
  readonly #onIdle: () => void;
  #waiting = 0;

  /** @param onIdle Something ended. */
  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  /** Calls that have not ended. */
  get size(): number {
    return this.#waiting;
  }

  /** When all calls so far have ended, and those that came meanwhile. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  /** What was given with the work that waits last for this document; undefined if it was nothing, or has begun. */
  joinable(name: string): Joinable | undefined {
    return this.#joinable.get(name);
  }

  async take<Result>(name: string, work: () => Promise<Result>, joinable?: Joinable): Promise<Result> {
    if (this.#waiting >= WAITING_MAX) {
      throw new ResourceExhaustedError(`${this.#waiting} calls of the state store wait already: await some of them`, {
        code: "STATE_CALLS_FULL",
        retryable: true,
        grpcStatus: 8,
      });
    }
    this.#waiting++;
    if (joinable === undefined) this.#joinable.delete(name);
    else this.#joinable.set(name, joinable);
    const begin = (): Promise<Result> => {
      if (this.#joinable.get(name) === joinable) this.#joinable.delete(name);
      return work();
    };
    const before = this.#tails.get(name);
    const result = before === undefined ? begin() : before.then(begin);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(name, tail);
    try {
      return await result;
    } finally {
      this.#waiting--;
      if (this.#tails.get(name) === tail) this.#tails.delete(name);
      this.#onIdle();
    }
  }
}

/** Each may hold a value; more than this at once is a loop that awaits nothing. */
const WAITING_MAX = STATE_PENDING_DOCUMENTS_MAX;
