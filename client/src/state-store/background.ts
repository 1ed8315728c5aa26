/**
 * What a state store does by itself: brings what is pending into the database once the server is there, takes over what
 * dead processes left, and shows that its own process lives. Its timers never keep the process alive; a call that is under
 * way does, for as long as it may take.
 */

import type { Clock } from "../clock.js";
import {
  STATE_ADOPT_EVERY_MS,
  STATE_OWNER_BEAT_MS,
  STATE_RECONCILE_TIMEOUT_MS,
  STATE_RECONCILES_MAX,
} from "../limits.js";
import { Backoff } from "../transport/backoff.js";
import { isAway } from "./circuit.js";
import { type StateProblems, wordsOf } from "./problems.js";
import { PatienceOver } from "./remote-documents.js";
import type { StateEngine } from "./state-engine.js";

export class Background {
  readonly #engine: StateEngine;
  readonly #problems: StateProblems;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #running: Promise<void> | undefined;
  #stopRetry: (() => void) | undefined;
  #stopBeat: () => void = () => undefined;
  #beats = 0;
  #isClosed = false;

  constructor(engine: StateEngine, problems: StateProblems, clock: Clock) {
    this.#engine = engine;
    this.#problems = problems;
    this.#clock = clock;
    this.#backoff = new Backoff(() => clock.random());
  }

  /** Takes over what was left before, and begins. */
  async start(): Promise<void> {
    await this.#engine.book.adopt();
    this.reconcileSoon();
    this.#beatLater();
  }

  /** Tries all documents now. Never rejects. */
  reconcileAll(): Promise<void> {
    this.#running ??= this.#reconcileAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Tries all documents after a moment; each time that fails makes the next moment longer. */
  reconcileSoon(): void {
    if (this.#isClosed || this.#stopRetry !== undefined || this.#engine.book.size === 0) return;
    this.#stopRetry = this.#clock.after(this.#backoff.nextMs(), () => {
      this.#stopRetry = undefined;
      void this.reconcileAll();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#stopRetry?.();
    this.#stopBeat();
  }

  async #reconcileAll(): Promise<void> {
    const names = this.#engine.book.names();
    let failure: unknown;
    const work = async (): Promise<void> => {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        if (this.#engine.circuit.isAway) return;
        try {
          await this.#engine.reconcile(name, STATE_RECONCILE_TIMEOUT_MS);
          this.#engine.circuit.answered();
        } catch (error) {
          failure ??= this.#failed(name, error);
        }
      }
    };
    await Promise.all(Array.from({ length: STATE_RECONCILES_MAX }, work));
    // While the server is away its return is what starts this again.
    if (this.#engine.circuit.isAway) return;
    if (failure === undefined) {
      this.#backoff.reset();
      this.#problems.solved("NOT_RECONCILED");
    }
    this.reconcileSoon();
  }

  #failed(name: string, error: unknown): unknown {
    if (!(error instanceof PatienceOver) && isAway(error)) {
      this.#engine.circuit.lost(error);
      return error;
    }
    this.#problems.report({
      code: "NOT_RECONCILED",
      message: `${name} was changed while the server was away and cannot be written now (${wordsOf(error)}): it is tried again`,
      name,
      cause: error,
    });
    return error;
  }

  #beatLater(): void {
    if (this.#isClosed) return;
    this.#stopBeat = this.#clock.after(STATE_OWNER_BEAT_MS, () => {
      void this.#beat().finally(() => this.#beatLater());
    });
  }

  async #beat(): Promise<void> {
    const { book } = this.#engine;
    await book.beat();
    if (++this.#beats % ADOPT_EVERY_BEATS !== 0) return;
    await book.adopt();
    await this.#engine.keepAgain();
    if (!this.#engine.circuit.isAway) this.reconcileSoon();
  }
}

const ADOPT_EVERY_BEATS = Math.round(STATE_ADOPT_EVERY_MS / STATE_OWNER_BEAT_MS);
