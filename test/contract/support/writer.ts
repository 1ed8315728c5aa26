/** A writer of one stream, straight on a store. */

import type { Record as WireRecord } from "@tailkeep/proto";
import { runOf } from "@tailkeep/server/dist/commit/stream-queue.js";
import type { Batch } from "@tailkeep/server/dist/record/batch.js";
import { recordMessage } from "@tailkeep/server/dist/record/stored-row.js";
import { TABLES } from "@tailkeep/server/dist/record/tables.js";
import type { OpenOutcome, OpenRequest, Run, RunOutcome, Store } from "@tailkeep/server/dist/store/store.js";

export const ALL_TABLES = TABLES.map((table) => table.index);

let count = 0;

/** A name that no other test has. */
export function unique(prefix = "s"): string {
  count++;
  return `${prefix}-${process.pid}-${count}`;
}

export function openRequest(change: Partial<OpenRequest> = {}): OpenRequest {
  return {
    namespace: "default",
    sessionId: "session",
    streamId: "stream",
    writerId: "writer",
    ackedSeq: 0,
    takeover: false,
    labels: {},
    mode: "open",
    ...change,
  };
}

export type Opened = Extract<OpenOutcome, { kind: "opened" }>;
export type Committed = Extract<RunOutcome, { kind: "committed" }>;

export async function opened(store: Store, request: OpenRequest): Promise<Opened> {
  const outcome = await store.openStream(request);
  if (outcome.kind !== "opened") throw new Error(`the stream is ${outcome.kind}`);
  return outcome;
}

export class Writer {
  readonly store: Store;
  readonly request: OpenRequest;
  readonly opened: Opened;

  private constructor(store: Store, request: OpenRequest, outcome: Opened) {
    this.store = store;
    this.request = request;
    this.opened = outcome;
  }

  static async open(store: Store, change: Partial<OpenRequest> = {}): Promise<Writer> {
    const request = openRequest({ sessionId: unique(), streamId: unique("t"), ...change });
    return new Writer(store, request, await opened(store, request));
  }

  get key(): bigint {
    return this.opened.key;
  }

  run(...batches: Batch[]): Run {
    const { namespace, sessionId, streamId, writerId } = this.request;
    const { key, epoch } = this.opened;
    return runOf({ key, namespace, sessionId, streamId, writerId, epoch }, batches);
  }

  async outcome(...batches: Batch[]): Promise<RunOutcome> {
    const [outcome] = await this.store.commit([this.run(...batches)]);
    return outcome as RunOutcome;
  }

  async commit(...batches: Batch[]): Promise<Committed> {
    const outcome = await this.outcome(...batches);
    if (outcome.kind !== "committed") throw new Error(`the run is ${outcome.kind}`);
    return outcome;
  }

  /** All that is stored of the stream, in order, each with its number. */
  async stored(): Promise<[number, WireRecord][]> {
    const rows = await this.store.reads.listStreamRange(this.key, 1, Number.MAX_SAFE_INTEGER, ALL_TABLES, 10_000);
    return rows.map((row) => [row.seq, recordMessage(row)]);
  }

  async storedSeqs(): Promise<number[]> {
    return (await this.stored()).map(([seq]) => seq);
  }
}
