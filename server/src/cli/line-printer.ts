/** Lines on standard output; quiet once the reader has enough (`| head`). */

export interface LinePrinter {
  /** Aborted when the reader is gone. */
  readonly closed: AbortSignal;
  print(line: string): void;
}

export function linePrinter(): LinePrinter {
  const closed = new AbortController();
  // Another reason than a reader that is gone ends the command: see main.ts.
  process.stdout.on("error", () => closed.abort());
  return {
    closed: closed.signal,
    print: (line) => {
      if (!closed.signal.aborted) process.stdout.write(`${line}\n`);
    },
  };
}
