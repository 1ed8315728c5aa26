/**
 * When logs are synced: all that were written to, one after the other, at most so many milliseconds after the first write.
 * One sync at a time for the whole process: a disk is not faster for being asked twice.
 */

import type { Clock } from "../clock.js";
import { Lane } from "./lane.js";

/** After every write, or at most `everyMs` milliseconds after one. */
export type SyncPolicy = "always" | { readonly everyMs: number };

export interface Syncable {
  /** Never rejects. */
  sync(): Promise<void>;
}

export class SyncSchedule {
  readonly #lane = new Lane();
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #unsynced = new Set<Syncable>();
  #isPassSet = false;

  constructor(policy: SyncPolicy, clock: Clock) {
    this.#clock = clock;
    this.#everyMs = policy === "always" ? 0 : policy.everyMs;
  }

  /** `log` was written to. */
  wrote(log: Syncable): void {
    this.#unsynced.add(log);
    if (this.#isPassSet) return;
    this.#isPassSet = true;
    this.#clock.after(this.#everyMs, () => void this.#pass());
  }

  /** Syncs `log` as soon as the one under way is done. */
  now(log: Syncable): Promise<void> {
    this.#unsynced.delete(log);
    return this.#lane.run(() => log.sync());
  }

  async #pass(): Promise<void> {
    const logs = [...this.#unsynced];
    for (const log of logs) await this.now(log);
    this.#isPassSet = false;
    const [first] = this.#unsynced;
    if (first !== undefined) this.wrote(first);
  }
}
