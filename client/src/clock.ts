/** Time and chance as the client sees them, so that a simulator may substitute both. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start. */
  nowMs(): number;
  /** Calls `fire` once after `delayMs`, and returns what cancels it. Never keeps the process alive. */
  after(delayMs: number, fire: () => void): () => void;
  /** The same for what somebody awaits: keeps the process alive, else it would exit in the middle of an `await`. */
  afterKeepingAlive(delayMs: number, fire: () => void): () => void;
  /** Calls `fire` once when the current turn of the event loop is done. */
  soon(fire: () => void): void;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Longest delay of a Node timer; a longer one would fire at once. */
export const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

/** The real clock. */
export const systemClock: Clock = Object.freeze({
  nowMs: () => performance.now(),
  after(delayMs: number, fire: () => void) {
    const timer = setTimeout(fire, Math.min(delayMs, TIMER_DELAY_MS_MAX));
    timer.unref();
    return () => clearTimeout(timer);
  },
  afterKeepingAlive(delayMs: number, fire: () => void) {
    const timer = setTimeout(fire, Math.min(delayMs, TIMER_DELAY_MS_MAX));
    return () => clearTimeout(timer);
  },
  soon(fire: () => void) {
    setImmediate(fire);
  },
  random: Math.random,
});
