/**
 * Keeps the store: starts it however long that takes, says when it is away and back, and lets it look after itself.
 *
 * States: starting -> up <-> down. A store that cannot ever serve this server (it belongs to another one, or is newer)
 * ends the start with its error.
 */
import type { Clock } from "../base/clock.js";
import { EXPIRY_FIRST_MS, EXPIRY_INTERVAL_MS, MAINTENANCE_INTERVAL_MS, RETRY_DELAY_MS_MAX } from "../limits.js";
import { StoreError } from "./errors.js";
import type { ExpiryReport } from "./expiry.js";
import type { Audit, Store } from "./store.js";

/** How often a store is asked whether it is there. */
const LOOK_INTERVAL_MS = 2_000;

/** Problems that waiting does not solve. */
const FINAL = new Set(["SECOND_SERVER", "NEWER_SCHEMA", "SQLITE_NOTADB", "SQLITE_CORRUPT"]);

export interface KeeperEvents {
  up(audit: Audit): void;
  down(error: StoreError): void;
  /** Partitions, lost sessions or abandoned deletions have to wait for the next run; the store serves meanwhile. */
  maintenanceFailed?(error: StoreError): void;
  /** A run of expiry ended: rows went, or may not go; undefined where it was another server's turn. */
  expired?(report: ExpiryReport | undefined): void;
}

export class StoreKeeper {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #events: KeeperEvents;
  #audit: Audit | undefined;
  #problem: string | undefined = "the store has not answered yet";

  constructor(store: Store, clock: Clock, events: KeeperEvents) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
  }

  get audit(): Audit | undefined {
    return this.#audit;
  }

  /** Whether it has answered once; from then on callers may ask it themselves. */
  get started(): boolean {
    return this.#audit !== undefined;
  }

  get up(): boolean {
    return this.#problem === undefined;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves when the store is ready. @throws StoreError where it never will be */
  async start(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#audit = await this.#store.start();
        this.answered();
        return;
      } catch (thrown) {
        const error = toStoreError(thrown);
        if (FINAL.has(error.code)) throw error;
        this.failed(error);
        await this.#clock.sleep(RETRY_DELAY_MS_MAX * this.#clock.random(), signal);
      }
    }
  }

  /** Somebody found the store away. Passing conflicts between transactions are not that. */
  failed(error: StoreError): void {
    if (error.kind === "contention") return;
    const problem = `the store does not answer (${error.code})`;
    const first = this.#problem !== problem;
    this.#problem = problem;
    if (first) this.#events.down(error);
  }

  /** Somebody found the store there. */
  answered(): void {
    if (this.#problem === undefined || this.#audit === undefined) return;
    this.#problem = undefined;
    this.#events.up(this.#audit);
  }

  /** Until aborted: looks whether the store is there, and has it look after itself. */
  async keep(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#look(signal), this.#maintain(signal), this.#expire(signal)]);
  }

  async #look(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(LOOK_INTERVAL_MS, signal);
      if (!this.started || signal.aborted) continue;
      try {
        await this.#store.ping();
        this.answered();
      } catch (thrown) {
        this.failed(toStoreError(thrown));
      }
    }
  }

  /** By itself too: after weeks without a server it takes hours. */
  async #expire(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(EXPIRY_FIRST_MS, signal);
    while (!signal.aborted) {
      if (!this.up) {
        await this.#clock.sleep(LOOK_INTERVAL_MS, signal);
        continue;
      }
      try {
        this.#events.expired?.(await this.#store.expire({ dryRun: false, signal }));
      } catch (thrown) {
        if (!signal.aborted) this.#events.maintenanceFailed?.(toStoreError(thrown));
      }
      await this.#clock.sleep(EXPIRY_INTERVAL_MS, signal);
    }
  }

  /** By itself, because it may take long: a table waits for somebody's long query, a large session is deleted. */
  async #maintain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!this.up) {
        await this.#clock.sleep(LOOK_INTERVAL_MS, signal);
        continue;
      }
      try {
        await this.#store.maintain(signal);
      } catch (thrown) {
        this.#events.maintenanceFailed?.(toStoreError(thrown));
      }
      await this.#clock.sleep(MAINTENANCE_INTERVAL_MS, signal);
    }
  }
}

function toStoreError(thrown: unknown): StoreError {
  return thrown instanceof StoreError
    ? thrown
    : new StoreError("refused", String(thrown), "INTERNAL", { cause: thrown });
}
