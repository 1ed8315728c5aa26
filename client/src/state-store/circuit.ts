/**
 * Whether the server is away. While it is, nobody waits for it: one question goes out now and then, with waits that grow
 * to ten seconds and are drawn at random below that.
 *
 *   there --a call failed--> away --a question was answered--> there
 */

import type { Clock } from "../clock.js";
import { TailkeepError, VersionMismatchError } from "../errors/errors.js";
import { Backoff } from "../transport/backoff.js";

export interface CircuitParts {
  /** Rejects while the server is away. */
  readonly ask: () => Promise<void>;
  /** It is there again. */
  readonly onBack: () => void;
  /** A question ended, either way. */
  readonly onProgress: () => void;
}

export class Circuit {
  readonly #clock: Clock;
  readonly #parts: CircuitParts;
  readonly #backoff: Backoff;
  #isAway = false;
  #isAsking = false;
  #isClosed = false;
  #stopTimer: () => void = () => undefined;

  constructor(clock: Clock, parts: CircuitParts) {
    this.#clock = clock;
    this.#parts = parts;
    this.#backoff = new Backoff(() => clock.random());
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** Whether it is away, and nothing is under way that could show otherwise. */
  get isGivenUp(): boolean {
    return this.#isAway && !this.#isAsking;
  }

  /** A call found the server away. */
  lost(error: unknown): void {
    if (this.#isAway || this.#isClosed) return;
    this.#isAway = true;
    this.#askLater(error);
  }

  /** A call was answered: only that, not an answered question, makes the waits short again. */
  answered(): void {
    this.#backoff.reset();
  }

  /** Asks now instead of later. */
  hurry(): void {
    if (!this.#isAway || this.#isAsking || this.#isClosed) return;
    this.#backoff.reset();
    this.#askNow();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
  }

  #askLater(error: unknown): void {
    const retryAfterMs = error instanceof TailkeepError ? error.retryAfterMs : undefined;
    this.#stopTimer = this.#clock.after(this.#backoff.nextMs(retryAfterMs), () => this.#askNow());
  }

  #askNow(): void {
    this.#stopTimer();
    this.#isAsking = true;
    this.#parts.ask().then(
      () => this.#settled(undefined),
      (error: unknown) => this.#settled(error),
    );
  }

  #settled(error: unknown): void {
    this.#isAsking = false;
    if (this.#isClosed) return;
    // A refusal is an answer too: callers get to see it.
    const isBack = error === undefined || !isAway(error);
    if (isBack) {
      this.#isAway = false;
      this.#parts.onBack();
    } else this.#askLater(error);
    this.#parts.onProgress();
  }
}

/** Whether a call failed because the server could not be reached, or could not do it now. It may have happened all the same. */
export function isAway(error: unknown): boolean {
  // Whatever else the transport throws, such as for a channel that was closed, is no answer of the server.
  if (!(error instanceof TailkeepError)) return true;
  return error.retryable && !(error instanceof VersionMismatchError);
}
