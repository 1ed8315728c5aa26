/** One line on stderr that is written over, on a terminal only: a pipe or a log wants the result alone. */

const INTERVAL_MS = 200;

export interface ProgressLine {
  show(text: string): void;
  end(): void;
}

/** `besideOutput`: the result goes to standard output, where it may share the terminal and would be torn apart. */
export function progressLine(besideOutput: boolean, stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  if (!stream.isTTY || (besideOutput && process.stdout.isTTY)) return { show: () => {}, end: () => {} };
  let shownAtMs = 0;
  let isShown = false;
  return {
    show: (text) => {
      if (performance.now() - shownAtMs < INTERVAL_MS) return;
      shownAtMs = performance.now();
      isShown = true;
      stream.write(`\r\u001b[2K${text}`);
    },
    end: () => {
      if (isShown) stream.write("\r\u001b[2K");
    },
  };
}
