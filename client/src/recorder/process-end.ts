/**
 * What happens to pending records when the process ends:
 * - by itself (nothing left to do): they are sent, within a deadline;
 * - by `process.exit` or an uncaught exception: they are spilled, on the spot;
 * - by SIGTERM or SIGINT, where asked: sent, then the process ends by that signal. Whoever sends it a second time does not
 *   want to wait: they are spilled then, on the spot.
 * One set of handlers for all recorders; none while there is no recorder.
 */

/** A signal at which a recorder can flush before its process ends by it. */
export type EndSignal = "SIGTERM" | "SIGINT";

/** What ends with the process. */
export interface EndsWithProcess {
  readonly flushOn: readonly EndSignal[];
  /** Whether anything is pending that waiting could make durable. */
  hasPending(): boolean;
  /** Never rejects. */
  flushBeforeEnd(): Promise<void>;
  /** Last and synchronous. */
  spillAtExit(): void;
}

const ending = new Set<EndsWithProcess>();
/** Signals that came and whose flush is under way. */
const flushing = new Set<EndSignal>();

const onBeforeExit = (): void => {
  // Awaiting gives the event loop work; when it is done, beforeExit comes again and finds nothing pending.
  for (const each of ending) if (each.hasPending()) void each.flushBeforeEnd();
};

const onExit = (): void => {
  for (const each of ending) each.spillAtExit();
};

const onSignal: Readonly<Record<EndSignal, () => void>> = {
  SIGTERM: () => flushAndEnd("SIGTERM"),
  SIGINT: () => flushAndEnd("SIGINT"),
};
const END_SIGNALS = Object.keys(onSignal) as EndSignal[];

function flushAndEnd(signal: EndSignal): void {
  if (flushing.has(signal)) {
    endBy(signal);
    return;
  }
  flushing.add(signal);
  const waits = [...ending].filter(({ flushOn }) => flushOn.includes(signal)).map((each) => each.flushBeforeEnd());
  void Promise.allSettled(waits).then(() => endBy(signal));
}

function endBy(signal: EndSignal): void {
  if (!flushing.delete(signal)) return;
  onExit();
  process.off(signal, onSignal[signal]);
  // Whoever else handles the signal decides; else it ends the process now, as its sender expects.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/** Returns what undoes it. */
export function endWithProcess(each: EndsWithProcess): () => void {
  if (ending.size === 0) {
    process.on("beforeExit", onBeforeExit);
    process.on("exit", onExit);
  }
  ending.add(each);
  for (const signal of each.flushOn) {
    if (!process.listeners(signal).includes(onSignal[signal])) process.on(signal, onSignal[signal]);
  }
  return () => {
    if (!ending.delete(each)) return;
    for (const signal of END_SIGNALS) {
      if (![...ending].some(({ flushOn }) => flushOn.includes(signal))) process.off(signal, onSignal[signal]);
    }
    if (ending.size > 0) return;
    process.off("beforeExit", onBeforeExit);
    process.off("exit", onExit);
  };
}
