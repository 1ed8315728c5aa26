/** One thing at a time for each document, in the order asked; different documents do not wait for each other. */

import { ResourceExhaustedError } from "../errors/errors.js";
import { STATE_PENDING_DOCUMENTS_MAX } from "../limits.js";

export class Turns {
  readonly #tails = new Map<string, Promise<void>>();
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

  async take<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= WAITING_MAX) {
      throw new ResourceExhaustedError(`${this.#waiting} calls of the state store wait already: await some of them`, {
        code: "STATE_CALLS_FULL",
        retryable: true,
        grpcStatus: 8,
      });
    }
    this.#waiting++;
    const before = this.#tails.get(name);
    const result = before === undefined ? work() : before.then(work);
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
