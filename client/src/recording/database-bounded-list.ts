/**
 * A BoundedList whose every append, push and extend is recorded. Memory keeps the newest items; the database keeps all,
 * one `await` away. Other changes (sort, splice, an index set) change memory only.
 */

import { BoundedList, type ListObserver } from "../containers/index.js";
import type { WaitOptions } from "../ingest/waiters.js";
import { itemOf } from "../items/from-record.js";
import type { ItemBound, ItemOf } from "../items/item-types.js";
import { TO_RECORD, type ToRecord } from "../items/to-record.js";
import { trackContainer } from "../metrics/tracked-containers.js";
import type { RecordWatch } from "../query/watch.js";
import type { HistoryRecord, RecordTypeName } from "../records/training-record.js";
import type { CallOptions } from "../transport/unary-call.js";
import { Binding, type BindingOptions, type ContainerWatchOptions } from "./binding.js";
import { followLimit, initialCapacity } from "./limits.js";
import { Positions } from "./positions.js";
import { type HistoryOptions, readHistory } from "./read-history.js";

/** Where a list records, and how much of it stays in memory. */
export interface DatabaseBoundedListOptions<Item> extends BindingOptions {
  /** Most items in memory. @default the central limit of its type, which it then follows */
  readonly capacity?: number | undefined;
  /** Most bytes in memory, by `sizeOf`. @default unbounded */
  readonly bytesMax?: number | undefined;
  /** @default an estimate */
  readonly sizeOf?: ((item: Item) => number) | undefined;
  /** Shown in the metrics. @default the type */
  readonly name?: string | undefined;
}

/**
 * A BoundedList whose every append, push and extend is recorded. Memory keeps the newest items; the database keeps all,
 * one `await` away. Other changes (sort, splice, an index set) change memory only. Appending never waits, and never throws
 * for reasons of telemetry; the constructor throws InvalidArgumentError for options that cannot be.
 */
export class DatabaseBoundedList<
  Type extends RecordTypeName = RecordTypeName,
  Item extends ItemBound<Type> = ItemOf<Type>,
> extends BoundedList<Item> {
  readonly #writing: ListWriting<Item>;

  constructor(type: Type, options: DatabaseBoundedListOptions<Item> = {}) {
    const binding = new Binding(type, options);
    const writing = new ListWriting<Item>(binding);
    const { capacity = initialCapacity(binding.recorder, type), name = type, bytesMax, sizeOf } = options;
    super({ capacity, name, bytesMax, sizeOf }, writing);
    this.#writing = writing;
    trackContainer(name, this);
    if (options.capacity === undefined) followLimit(binding.recorder, type, this);
  }

  /** The name of the table. */
  get type(): RecordTypeName {
    return this.#writing.binding.scope.type;
  }
  get sessionId(): string {
    return this.#writing.binding.scope.sessionId;
  }
  get gameId(): string | undefined {
    return this.#writing.binding.scope.gameId;
  }

  /**
   * Everything that this list stands for, newest or oldest first: what is in memory, and then, without a gap or a repeat,
   * what has left it. A snapshot of the moment when it is called. Waits until what has left memory is durable; rejects
   * with DeadlineError if the server does not take it in time. @default timeoutMs 10,000, for the waiting and for each page
   */
  history(options: HistoryOptions = {}): AsyncGenerator<Item, void, undefined> {
    const { binding, positions, isAligned } = this.#writing;
    // After other changes than appending nobody can tell what of memory is stored where: all is read from the database.
    const memory = isAligned ? this.toList() : [];
    const seam = (isAligned ? positions : new Positions()).seam();
    return readHistory(
      {
        memory,
        seam,
        scope: binding.scope,
        history: binding.recorder.client.history,
        evictedIsDurable: () =>
          binding.recorder.durable(binding.lane, isAligned ? positions.evictedSeq : binding.lane.lastSeq, options),
        itemOf: (record) => this.#writing.itemOf(record),
      },
      options,
    );
  }

  /** The newest items of the database, newest last; up to 1,000. @default limit 100 */
  async tail(limit = 100, options: CallOptions = {}): Promise<Item[]> {
    const records = await this.#writing.binding.tail(limit, options);
    return records.map((record) => this.#writing.itemOf(record));
  }

  /** Records, gaps and missed ranges of this type and session, as they are committed. */
  watch(options: ContainerWatchOptions = {}): RecordWatch {
    return this.#writing.binding.watch(options);
  }

  /**
   * Puts the newest items of the database in the place of what is in memory; nothing is recorded again. Resolves with how
   * many there are. @default limit the capacity
   */
  async loadFromDatabase(limit = this.capacity, options: CallOptions = {}): Promise<number> {
    const { binding } = this.#writing;
    await binding.recorder.durable(binding.lane, binding.lane.lastSeq, options);
    const records: HistoryRecord[] = [];
    const question = { ...binding.scope.question, pageSize: Math.min(1_000, Math.max(1, limit)) };
    for await (const record of binding.recorder.client.history.listRecords(question, options)) {
      if (records.length >= limit) break;
      if (binding.scope.has(record)) records.push(record);
    }
    this.#writing.load(records.reverse(), this);
    return this.length;
  }

  /** Resolves when everything appended so far is durable. @default timeoutMs 10,000 */
  flush(options: WaitOptions = {}): Promise<void> {
    return this.#writing.binding.recorder.flush(options);
  }
}

/** Records what is appended, and knows where the items in memory are stored. */
class ListWriting<Item> implements ListObserver<Item> {
  readonly binding: Binding;
  positions = new Positions();
  isAligned = true;
  readonly #toRecord: ToRecord;
  #bareScores = false;
  #namesCurrent = false;
  /** Set while items come from the database, with where each is stored. */
  #loading: HistoryRecord[] | undefined;

  constructor(binding: Binding) {
    this.binding = binding;
    this.#toRecord = TO_RECORD[binding.scope.type];
  }

  appended(item: Item): void {
    const { binding } = this;
    const loaded = this.#loading?.shift();
    if (loaded !== undefined) {
      this.positions.push(loaded.streamId, loaded.seq, loaded.eventTimeUs);
      return;
    }
    const nowUs = binding.recorder.nowUs();
    try {
      const record = this.#toRecord(item, binding.scope.gameId, nowUs);
      const seq = binding.append(record);
      if (record.type === "score_history") this.#learnForm(item, record.scoreType);
      this.positions.push(binding.lane.identity.streamId, seq, record.eventTimeUs ?? nowUs);
    } catch (error) {
      // A getter of the item threw: its reason, not ours to throw at the trainer.
      binding.refuse(error);
      this.positions.push(binding.lane.identity.streamId, 0, nowUs);
    }
  }

  evicted(count: number): void {
    this.positions.evict(count);
  }

  changed(isEmpty: boolean): void {
    if (isEmpty) {
      this.positions.clear();
      this.isAligned = true;
    } else {
      this.isAligned = false;
    }
  }

  load(records: HistoryRecord[], list: BoundedList<Item>): void {
    list.clear();
    this.positions = new Positions();
    const items = records.map((record) => this.itemOf(record));
    this.#loading = records;
    try {
      list.extend(items);
    } finally {
      this.#loading = undefined;
    }
  }

  itemOf(record: HistoryRecord): Item {
    const form = { bareScores: this.#bareScores, namesCurrent: this.#namesCurrent, gameId: this.binding.scope.gameId };
    return itemOf(record, form) as Item;
  }

  /** A score's record does not tell how its item looked; the list's other items do. */
  #learnForm(item: Item, scoreType: string | undefined): void {
    if (typeof item === "number") this.#bareScores = true;
    else if (scoreType === "current") this.#namesCurrent = true;
  }
}
