/**
 * What happens to pending records when the process ends:
 * - by itself (nothing left to do): they are sent, within a deadline;
 * - by `process.exit` or an uncaught exception: they are spilled, on the spot;
 * - by SIGTERM, where asked: sent, then the process ends by that signal.
 * One set of handlers for all recorders; none while there is no recorder.
 */

/** What ends with the process. */
export interface EndsWithProcess {
  readonly flushOnSigterm: boolean;
  /** Whether anything is pending that waiting could make durable. */
  hasPending(): boolean;
  /** Never rejects. */
  flushBeforeEnd(): Promise<void>;
  /** Last and synchronous. */
  spillAtExit(): void;
}

const ending = new Set<EndsWithProcess>();

const onBeforeExit = (): void => {
  // Awaiting gives the event loop work; when it is done, beforeExit comes again and finds nothing pending.
  for (const each of ending) if (each.hasPending()) void each.flushBeforeEnd();
};

const onExit = (): void => {
  for (const each of ending) each.spillAtExit();
};

const onSigterm = (): void => {
  const waits = [...ending].filter((each) => each.flushOnSigterm).map((each) => each.flushBeforeEnd());
  void Promise.allSettled(waits).then(() => {
    onExit();
    process.off("SIGTERM", onSigterm);
    // Whoever else handles the signal decides; else it ends the process now, as its sender expects.
    if (process.listenerCount("SIGTERM") === 0) process.kill(process.pid, "SIGTERM");
  });
};

/** Returns what undoes it. */
export function endWithProcess(each: EndsWithProcess): () => void {
  if (ending.size === 0) {
    process.on("beforeExit", onBeforeExit);
    process.on("exit", onExit);
  }
  ending.add(each);
  if (each.flushOnSigterm && !process.listeners("SIGTERM").includes(onSigterm)) process.on("SIGTERM", onSigterm);
  return () => {
    if (!ending.delete(each)) return;
    if (![...ending].some((other) => other.flushOnSigterm)) process.off("SIGTERM", onSigterm);
    if (ending.size > 0) return;
    process.off("beforeExit", onBeforeExit);
    process.off("exit", onExit);
  };
}
