/**
 * What becomes of a log when its files fail.
 *
 *   fine --first failure--> suspicious --second before a sync succeeded--> blocked --after a wait--> probing
 *   fine, suspicious --the disk is full--> blocked
 *   any --a sync succeeded--> fine                                       probing --failure--> blocked, for longer
 *
 * While blocked nothing is taken. A probe is one write of what waits, and its sync.
 */

import { SPILL_RETRY_MS_FIRST, SPILL_RETRY_MS_LAST } from "../limits.js";
import { errorCode, isDiskFull } from "./disk.js";
import type { SpillShared } from "./shared.js";

type OutageState =
  | { readonly name: "fine" | "suspicious" }
  | { readonly name: "blocked" | "probing"; readonly because: "full" | "failed"; readonly failures: number };

const FINE: OutageState = { name: "fine" };

export class DiskOutage {
  readonly #shared: SpillShared;
  readonly #probe: () => void;
  #state: OutageState = FINE;
  #stopWaiting: (() => void) | undefined;

  /** `probe` is called when it is time to try again. */
  constructor(shared: SpillShared, probe: () => void) {
    this.#shared = shared;
    this.#probe = probe;
  }

  /** Why nothing is taken at present. */
  get because(): "full" | "failed" | undefined {
    return "because" in this.#state ? this.#state.because : undefined;
  }
  get isProbing(): boolean {
    return this.#state.name === "probing";
  }
  /** Whether nothing may be written, not even to probe. */
  get isWaiting(): boolean {
    return this.#state.name === "blocked";
  }

  failed(error: unknown): void {
    const isFull = isDiskFull(error);
    if (this.#state.name === "fine" && !isFull) {
      this.#state = { name: "suspicious" };
      this.#shared.problems.say(
        "SPILL_FILE_FAILED",
        `a spill file could not be written or synced (${describe(error)}) and is not used any more; what is not durable goes ` +
          "to a new one, nothing is lost; check the disk",
      );
      return;
    }
    const failures = "failures" in this.#state ? this.#state.failures + 1 : 1;
    this.#state = { name: "blocked", because: isFull ? "full" : "failed", failures };
    this.#say(error, isFull);
    const waitMs = Math.min(SPILL_RETRY_MS_LAST, SPILL_RETRY_MS_FIRST * 2 ** (failures - 1));
    this.#stopWaiting?.();
    this.#stopWaiting = this.#shared.clock.after(waitMs, () => this.#waited());
  }

  /** A sync succeeded, or there is nothing left to be written. */
  over(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.#state = FINE;
  }

  #waited(): void {
    if (this.#state.name !== "blocked") return;
    this.#state = { ...this.#state, name: "probing" };
    this.#probe();
  }

  #say(error: unknown, isFull: boolean): void {
    if (isFull) {
      this.#shared.problems.say(
        "SPILL_DISK_FULL",
        `the disk of the spill folder is full (${describe(error)}): records that cannot be sent follow their overflow policy ` +
          "until there is room; free disk space, or move spill.folder to a larger disk",
      );
    } else {
      this.#shared.problems.say(
        "SPILL_MEMORY_ONLY",
        `no spill file can be written or synced (${describe(error)}): records that cannot be sent stay in memory, within ` +
          "its bound, and are lost if this process dies; it is tried again every now and then; check the disk",
      );
    }
  }
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = errorCode(error);
  return message.includes(code) ? message : `${code}: ${message}`;
}
