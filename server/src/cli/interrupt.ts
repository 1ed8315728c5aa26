/** Work that goes on until Ctrl-C, which is its ordinary end. */

export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    await work(stop.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
