/** Brings what was spilled back onto the line, a little ahead of the acks, and lets the log forget what is durable. */

import type { RecorderLog } from "./spill-port.js";
import type { StreamLink } from "./stream-link.js";

export class LogFeeder {
  readonly log: RecorderLog;
  readonly #link: StreamLink;
  readonly #readAheadBytes: number;
  readonly #onFed: (error?: unknown) => void;
  #isPumping = false;
  #isStopped = false;

  /** `onFed`: something was put onto the line, or the end of the log was reached, or reading failed for good. */
  constructor(log: RecorderLog, link: StreamLink, readAheadBytes: number, onFed: (error?: unknown) => void) {
    this.log = log;
    this.#link = link;
    this.#readAheadBytes = readAheadBytes;
    this.#onFed = onFed;
  }

  /** To be called whenever the line progressed. Cheap when there is nothing to do. */
  progressed(): void {
    if (this.#isStopped) return;
    // What was not read yet stays, even where the server has it already: the line takes numbers without a hole.
    this.log.acked(Math.min(this.#link.ackedSeq, this.#link.enqueuedSeq));
    if (!this.#isPumping && this.#wantsMore()) {
      this.#isPumping = true;
      void this.#pump();
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  #wantsMore(): boolean {
    const { state, queuedBytes } = this.#link;
    // While it waits or rests, what is on the line is enough to find out when it goes on.
    const isMoving = state === "open" || state === "idle" || state === "halfClosed";
    return isMoving && queuedBytes < this.#readAheadBytes && !this.log.atEnd;
  }

  /** Never rejects. */
  async #pump(): Promise<void> {
    try {
      while (!this.#isStopped && this.#wantsMore()) {
        const batch = await this.log.next();
        if (batch === undefined || this.#isStopped) break;
        this.#link.enqueue(batch);
      }
      this.#isPumping = false;
      if (!this.#isStopped) this.#onFed();
    } catch (error) {
      this.#isPumping = false;
      this.stop();
      this.#onFed(error);
    }
  }
}
