/** One document of a state store, by its name. */

import type { JsonValue } from "../records/training-record.js";
import type { StateCountResult, StateUpdateResult, StateWriteResult } from "./results.js";

/** What a handle needs of its store. */
export interface DocumentOperations {
  get<Value extends JsonValue>(name: string): Promise<Value | undefined>;
  put(name: string, value: JsonValue): Promise<StateWriteResult>;
  update<Value extends JsonValue>(
    name: string,
    change: (value: Value | undefined) => Value | undefined,
  ): Promise<StateUpdateResult<Value>>;
  delete(name: string): Promise<StateWriteResult>;
  increment(name: string, field: string, by?: number): Promise<StateCountResult>;
}

/** One document of a state store. Made by `StateStore.document` and its fellows. */
export class StateHandle<Value extends JsonValue = JsonValue> {
  /** Without the store's prefix. */
  readonly name: string;
  readonly #store: DocumentOperations;

  constructor(store: DocumentOperations, name: string) {
    this.#store = store;
    this.name = name;
  }

  /** See StateStore.get. */
  get(): Promise<Value | undefined> {
    return this.#store.get<Value>(this.name);
  }

  /** See StateStore.put. */
  put(value: Value): Promise<StateWriteResult> {
    return this.#store.put(this.name, value);
  }

  /** See StateStore.update. */
  update(change: (value: Value | undefined) => Value | undefined): Promise<StateUpdateResult<Value>> {
    return this.#store.update<Value>(this.name, change);
  }

  /** See StateStore.delete. */
  delete(): Promise<StateWriteResult> {
    return this.#store.delete(this.name);
  }

  /** See StateStore.increment. */
  increment(field: string, by = 1): Promise<StateCountResult> {
    return this.#store.increment(this.name, field, by);
  }
}
