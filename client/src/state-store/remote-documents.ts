/** The database's documents: read, and written by compare-and-set only, within a caller's patience. */

import type { Clock } from "../clock.js";
import { STATE_ATTEMPT_WAIT_MS_FIRST, STATE_ATTEMPT_WAIT_MS_LAST } from "../limits.js";
import type { StateClient, StateListItem } from "../query/state.js";
import { type Marker, putMarker, takeMarker } from "./marker.js";
import type { Base } from "./pending.js";
import { parsed } from "./values.js";

/** A document as the database has it; version 0 and no text if there is none. */
export interface RemoteDocument extends Base {
  readonly marker: Marker | undefined;
}

const MISSING: RemoteDocument = Object.freeze({ version: 0, updatedAtUs: 0, text: undefined, marker: undefined });

/** The time was up between two calls: nothing was under way, and the server need not be away. */
export class PatienceOver extends Error {
  override readonly name = "PatienceOver";
}

/** How long a caller waits, over several calls. */
export class Patience {
  readonly #clock: Clock;
  readonly #untilMs: number;
  #attempts = 0;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#untilMs = clock.nowMs() + ms;
  }

  /** For the next call, in milliseconds. Throws PatienceOver if nothing is left; then nothing was sent. */
  get timeoutMs(): number {
    const leftMs = this.#untilMs - this.#clock.nowMs();
    if (leftMs > 0) return leftMs;
    throw new PatienceOver();
  }

  get isOver(): boolean {
    return this.#clock.nowMs() >= this.#untilMs;
  }

  /** Lets others finish who write the same document. */
  async giveWay(): Promise<void> {
    const ceilingMs = Math.min(STATE_ATTEMPT_WAIT_MS_LAST, STATE_ATTEMPT_WAIT_MS_FIRST * 2 ** this.#attempts++);
    await new Promise<void>((resolve) => {
      this.#clock.afterKeepingAlive(this.#clock.random() * ceilingMs, resolve);
    });
  }
}

export class RemoteDocuments {
  readonly #client: StateClient;

  constructor(client: StateClient) {
    this.#client = client;
  }

  async read(name: string, patience: Patience): Promise<RemoteDocument> {
    const document = await this.#client.get(name, { timeoutMs: patience.timeoutMs });
    if (document === undefined) return MISSING;
    const { version, updatedAtUs, value } = document;
    return { version, updatedAtUs, ...takeMarker(value) };
  }

  /** Throws VersionMismatchError where the database does not have `expected`. */
  async write(
    name: string,
    text: string,
    marker: Marker | undefined,
    expectedVersion: number,
    patience: Patience,
  ): Promise<RemoteDocument> {
    const options = { expectedVersion, timeoutMs: patience.timeoutMs };
    const { version, updatedAtUs } = await this.#client.put(name, putMarker(text, marker), options);
    return { version, updatedAtUs, text, marker: marker && hasMembers(text) ? marker : undefined };
  }

  /** Throws VersionMismatchError like `write`. */
  async delete(name: string, expectedVersion: number, patience: Patience): Promise<RemoteDocument> {
    await this.#client.delete(name, { expectedVersion, timeoutMs: patience.timeoutMs });
    return MISSING;
  }

  async list(prefix: string, limit: number, patience: Patience): Promise<StateListItem[]> {
    const items: StateListItem[] = [];
    const listing = this.#client.list({ prefix, limit, pageSize: LIST_PAGE }, { timeoutMs: patience.timeoutMs });
    for await (const item of listing) items.push(item);
    return items;
  }
}

const LIST_PAGE = 1_000;

function hasMembers(text: string): boolean {
  const value = parsed(text);
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
