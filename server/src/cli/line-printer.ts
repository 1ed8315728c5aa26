/** Lines on standard output; quiet once the reader has enough (`| head`). */

export interface LinePrinter {
  /** Aborted when the reader is gone. */
  readonly closed: AbortSignal;
  print(line: string): void;
}

export function linePrinter(): LinePrinter {
  const closed = new AbortController();
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    closed.abort();
    if (error.code === "EPIPE") return;
    console.error(`tailkeep: cannot write the output: ${error.message}`);
    process.exitCode = 1;
  });
  return {
    closed: closed.signal,
    print: (line) => {
      if (!closed.signal.aborted) process.stdout.write(`${line}\n`);
    },
  };
}
