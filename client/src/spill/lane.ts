/**
 * Work done strictly one piece after the other. Node has four threads for all file access of a process: a disk that hangs
 * may take one of them for writing and one for syncing, but never those that the trainer itself needs.
 */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` after all that was given before; settles as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
