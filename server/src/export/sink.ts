/** Where an export goes: standard output, or a file that appears whole or not at all. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";

export interface Sink {
  /** False: the reader has enough (`| head`), so nothing more need be made. */
  write(text: string): Promise<boolean>;
  /** Everything is written. */
  finish(): Promise<void>;
  /** It failed: what there is of it goes. */
  discard(): Promise<void>;
}

export function sinkTo(file: string | undefined): Sink {
  return file === undefined ? new StandardOutput() : new WholeFile(file);
}

class StandardOutput implements Sink {
  #closed = false;

  constructor() {
    // Another reason than a reader that is gone ends the command: see cli/main.ts.
    process.stdout.on("error", () => {
      this.#closed = true;
    });
  }

  async write(text: string): Promise<boolean> {
    if (!this.#closed && !process.stdout.write(text)) await drained(process.stdout);
    return !this.#closed;
  }

  async finish(): Promise<void> {}
  async discard(): Promise<void> {}
}

class WholeFile implements Sink {
  readonly #file: string;
  readonly #unfinished: string;
  readonly #stream: Writable;
  readonly #finished: Promise<void>;

  constructor(file: string) {
    this.#file = file;
    this.#unfinished = `${file}.unfinished`;
    this.#stream = createWriteStream(this.#unfinished);
    this.#finished = finished(this.#stream);
    this.#finished.catch(() => {}); // Whoever writes or finishes next hears of it.
  }

  async write(text: string): Promise<boolean> {
    if (!this.#stream.write(text)) await Promise.race([drained(this.#stream), this.#finished]);
    if (this.#stream.errored) throw this.#stream.errored;
    return true;
  }

  async finish(): Promise<void> {
    this.#stream.end();
    await this.#finished;
    await rename(this.#unfinished, this.#file);
  }

  async discard(): Promise<void> {
    this.#stream.destroy();
    await rm(this.#unfinished, { force: true });
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close", "error"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.on(event, done);
  });
}
