/** Typed listeners. One that throws is reported as a process warning and never disturbs the stream. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Returns what removes it again. */
  add(listener: (event: Event) => void): () => void {
    // A wrapper of its own, so that the same function added twice is removed once at a time.
    const own = (event: Event): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error), "TailkeepListenerWarning");
      }
    }
  }
}
