/**
 * Lets so many pieces of work run at a time. Those who wait take turns by name, so that whoever asks for much waits for
 * itself.
 */
import { OVERLOAD_RETRY_AFTER_MS } from "../limits.js";
import { RpcError } from "../rpc/errors.js";

export class Turns {
  readonly #waitingMax: number;
  #free: number;
  /** By name; the one whose turn it is first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /** @param waitingMax of one name */
  constructor(atOnce: number, waitingMax: number) {
    this.#free = atOnce;
    this.#waitingMax = waitingMax;
  }

  /** @throws RpcError OVERLOADED where too many of that name wait already */
  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    await this.#take(name);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(name: string): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const waiting = this.#waiting.get(name) ?? [];
    if (waiting.length === this.#waitingMax) {
      throw new RpcError("OVERLOADED", `${this.#waitingMax} such questions are waiting already; ask again later`, {
        retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
      });
    }
    this.#waiting.set(name, waiting);
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  #give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free++;
      return;
    }
    const [name, waiting] = next;
    const begin = waiting.shift();
    this.#waiting.delete(name);
    if (waiting.length > 0) this.#waiting.set(name, waiting);
    begin?.();
  }
}
