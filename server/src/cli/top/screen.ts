/** A terminal that is drawn over: what was on it comes back at the end, however the end comes. */

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const REST_OF_LINE = "\u001b[K";
const REST_OF_SCREEN = "\u001b[J";

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  draw(lines: readonly string[]): void;
  close(): void;
}

/** @param onKey a key that was pressed; Ctrl-C is the text "\u0003" */
export function openScreen(onKey: (key: string) => void, onResize: () => void): Screen {
  const { stdin, stdout } = process;
  let isOpen = true;
  const hear = (chunk: Buffer) => {
    for (const key of chunk.toString("latin1")) onKey(key);
  };
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    process.off("exit", close);
    stdout.off("resize", onResize);
    if (stdin.isTTY) {
      stdin.off("data", hear);
      stdin.setRawMode(false);
      stdin.pause();
    }
    stdout.write(LEAVE);
  };
  process.once("exit", close);
  stdout.on("resize", onResize);
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on("data", hear);
    stdin.resume();
  }
  stdout.write(ENTER);
  return {
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
    draw: (lines) => {
      if (isOpen) stdout.write(`${HOME}${lines.map((line) => `${line}${REST_OF_LINE}`).join("\r\n")}${REST_OF_SCREEN}`);
    },
    close,
  };
}
