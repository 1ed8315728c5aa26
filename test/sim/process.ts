/** A process that can be killed and paused, and the clocks that its code sees. */
import type { Clock as ClientClock } from "@tailkeep/client/internals";
import type { Clock as ServerClock } from "@tailkeep/server/dist/base/clock.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** 2023-11-14, in microseconds: when every simulation begins. */
export const EPOCH_US = 1_700_000_000_000_000;

/** How soon "when this turn is over" is. */
const TURN_MS = 0.005;

export class SimulatedProcess {
  readonly world: World;
  readonly name: string;
  readonly random: Random;
  #isAlive = true;
  #pausedUntilMs = 0;
  readonly #whilePaused: (() => void)[] = [];
  /** What is wrong with its wall clock. */
  wallOffsetUs = 0;
  readonly #onDeath: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.random = world.random(name);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.world.nowMs < this.#pausedUntilMs;
  }

  /** Runs `fire` in this process after `delayMs`, or once it is resumed, unless it has died by then. */
  after(delayMs: number, label: string, fire: () => void): () => void {
    let isCancelled = false;
    const inTurn = (): void => {
      if (!isCancelled && this.#isAlive) fire();
    };
    const cancel = this.world.after(delayMs, `${this.name}: ${label}`, () => {
      if (this.isPaused) this.#whilePaused.push(inTurn);
      else inTurn();
    });
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  onDeath(listener: () => void): void {
    this.#onDeath.push(listener);
  }

  /** SIGKILL. */
  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const listener of this.#onDeath) listener();
  }

  /** SIGSTOP for a while: what was due meanwhile runs afterwards, in order. */
  pause(forMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.world.nowMs + forMs);
    const endsMs = this.#pausedUntilMs;
    this.world.after(forMs, `${this.name}: resumed`, () => {
      if (this.#pausedUntilMs !== endsMs) return;
      for (const fire of this.#whilePaused.splice(0)) fire();
    });
  }

  clientClock(): ClientClock {
    return {
      nowMs: () => this.world.nowMs,
      after: (delayMs, fire) => this.after(delayMs, "timer", fire),
      afterKeepingAlive: (delayMs, fire) => this.after(delayMs, "timer", fire),
      soon: (fire) => void this.after(TURN_MS, "soon", fire),
      random: () => this.random.next(),
    };
  }

  serverClock(): ServerClock {
    return {
      nowUs: () => EPOCH_US + Math.floor(this.world.nowMs * 1_000) + this.wallOffsetUs,
      monotonicMs: () => this.world.nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) {
            resolve();
            return;
          }
          const done = (): void => {
            cancel();
            signal?.removeEventListener("abort", done);
            resolve();
          };
          const cancel = this.after(ms, "sleep", done);
          signal?.addEventListener("abort", done);
        }),
      defer: (work) => void this.after(TURN_MS, "defer", work),
      random: () => this.random.next(),
    };
  }
}
