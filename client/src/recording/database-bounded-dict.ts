/**
 * A BoundedDict whose every set is recorded, not only the last value of a key. What was evicted is found again by its key.
 * Deleting changes memory only.
 */

import { BoundedDict } from "../containers/index.js";
import type { WaitOptions } from "../ingest/waiters.js";
import { ENTRY_TO_RECORD, entryOf } from "../items/entry-record.js";
import type { KeyOf, ValueOf } from "../items/item-types.js";
import { trackContainer } from "../metrics/tracked-containers.js";
import type { RecordWatch } from "../query/watch.js";
import type { Lane } from "../recorder/lane.js";
import type { RecordTypeName } from "../records/training-record.js";
import type { CallOptions } from "../transport/unary-call.js";
import { Binding, type BindingOptions, type ContainerWatchOptions } from "./binding.js";
import { followLimit, initialCapacity } from "./limits.js";
import type { HistoryOptions } from "./read-history.js";

/** Where a dictionary records, and how much of it stays in memory. */
export interface DatabaseBoundedDictOptions<Value> extends BindingOptions {
  /** Most keys in memory. @default the central limit of dictionaries, which it then follows */
  readonly capacity?: number | undefined;
  /** Most bytes in memory, by `sizeOf`. @default unbounded */
  readonly bytesMax?: number | undefined;
  /** @default an estimate */
  readonly sizeOf?: ((value: Value) => number) | undefined;
  /** Shown in the metrics. @default the type */
  readonly name?: string | undefined;
}

/** One write of a key. */
export interface DictEntry<Key, Value> {
  readonly key: Key;
  readonly value: Value;
  /** Microseconds since 1970. */
  readonly eventTimeUs: number;
}

/** Records that are looked at for one key that is wanted, when a dictionary is refilled. */
const RECORDS_PER_KEY_MAX = 20;

/**
 * A BoundedDict whose every set is recorded, not only the last value of a key. What was evicted is found again by its key.
 * Deleting changes memory only. Setting never waits, and never throws for reasons of telemetry; the constructor throws
 * InvalidArgumentError for options that cannot be.
 */
export class DatabaseBoundedDict<
  Type extends RecordTypeName = RecordTypeName,
  Value = ValueOf<Type>,
  Key extends KeyOf<Type> = KeyOf<Type>,
> extends BoundedDict<Key, Value> {
  readonly #binding: Binding;
  #isLoading = false;
  /** Highest number that an evicted value may have, and the stream that it is of. */
  #evicted: { readonly lane: Lane; readonly seq: number } | undefined;

  constructor(type: Type, options: DatabaseBoundedDictOptions<Value> = {}) {
    const binding = new Binding(type, options);
    const { capacity = initialCapacity(binding.recorder, "dictionary"), name = type, bytesMax, sizeOf } = options;
    super({ capacity, name, bytesMax, sizeOf });
    this.#binding = binding;
    trackContainer(name, this);
    if (options.capacity === undefined) followLimit(binding.recorder, "dictionary", this);
  }

  /** The name of the table. */
  get type(): RecordTypeName {
    return this.#binding.scope.type;
  }
  get sessionId(): string {
    return this.#binding.scope.sessionId;
  }
  get gameId(): string | undefined {
    return this.#binding.scope.gameId;
  }

  /** Sets the key and records it; the least recently used one is evicted if there is no room. */
  override set(key: Key, value: Value): this {
    super.set(key, value);
    if (!this.#isLoading) this.#record(key, value);
    return this;
  }

  /**
   * The newest value of a key: from memory, else from the database, where an index finds it. Undefined if there is none.
   * Rejects with DeadlineError if what was evicted is not durable in time. @default timeoutMs 10,000
   */
  async fetch(key: Key, options: CallOptions = {}): Promise<Value | undefined> {
    if (this.has(key)) return this.get(key);
    const { recorder, scope } = this.#binding;
    if (this.#evicted !== undefined) await recorder.durable(this.#evicted.lane, this.#evicted.seq, options);
    const question = { ...scope.question, key, limit: 1, pageSize: 1 };
    for await (const record of recorder.client.history.listRecords(question, options)) {
      return entryOf(record)?.value as Value | undefined;
    }
    return undefined;
  }

  /** Every write of this dictionary's type, game and session, or of one key, from the database, after all is durable. */
  async *history(
    options: HistoryOptions & { readonly key?: Key | undefined } = {},
  ): AsyncGenerator<DictEntry<Key, Value>, void, undefined> {
    const { recorder, lane, scope } = this.#binding;
    const { key, order, sinceUs, untilUs, limit = Number.POSITIVE_INFINITY, timeoutMs, signal } = options;
    await recorder.durable(lane, lane.lastSeq, { timeoutMs, signal });
    const pageSize = Math.max(1, Math.min(1_000, limit));
    const question = { ...scope.question, order, sinceUs, untilUs, pageSize, ...(key === undefined ? {} : { key }) };
    let left = limit;
    for await (const record of recorder.client.history.listRecords(question, { timeoutMs, signal })) {
      const entry = scope.has(record) ? entryOf(record) : undefined;
      if (entry === undefined) continue;
      if (left-- <= 0) return;
      yield { key: entry.key as Key, value: entry.value as Value, eventTimeUs: record.eventTimeUs };
    }
  }

  /** Records, gaps and missed ranges of this type and session, as they are committed. */
  watch(options: ContainerWatchOptions = {}): RecordWatch {
    return this.#binding.watch(options);
  }

  /**
   * Puts the keys that were written last in the place of what is in memory; nothing is recorded again. Resolves with how
   * many there are: fewer than asked for where the newest records are of few keys. @default limit the capacity
   */
  async loadFromDatabase(limit = this.capacity, options: CallOptions = {}): Promise<number> {
    const newest = new Map<Key, Value>();
    let looked = 0;
    for await (const { key, value } of this.history({ ...options, order: "newest" })) {
      if (newest.size >= limit || looked++ >= limit * RECORDS_PER_KEY_MAX) break;
      if (!newest.has(key)) newest.set(key, value);
    }
    this.clear();
    this.#isLoading = true;
    try {
      for (const [key, value] of [...newest].reverse()) this.set(key, value);
    } finally {
      this.#isLoading = false;
    }
    return this.size;
  }

  /** Resolves when everything set so far is durable. @default timeoutMs 10,000 */
  flush(options: WaitOptions = {}): Promise<void> {
    return this.#binding.recorder.flush(options);
  }

  protected override evicted(): void {
    const { lane } = this.#binding;
    this.#evicted = { lane, seq: lane.lastSeq };
  }

  #record(key: Key, value: Value): void {
    const { recorder, scope } = this.#binding;
    try {
      this.#binding.append(ENTRY_TO_RECORD[scope.type](key, value, scope.gameId, recorder.nowUs()));
    } catch (error) {
      this.#binding.refuse(error);
    }
  }
}
