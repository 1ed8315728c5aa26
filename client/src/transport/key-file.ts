import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "../errors/errors.js";
import { KEY_FILE_READ_MS_MIN } from "../limits.js";

/**
 * An API key in a file, read again as calls are made: a rotated key is replaced there, and no process has to be started
 * anew. A file that cannot be read for a moment, because it is being replaced, leaves the key before.
 */
export class KeyFile {
  readonly #file: string;
  readonly #nowMs: () => number;
  #key: string;
  #readAtMs: number;

  /** @throws InvalidArgumentError if there is no key in it now */
  constructor(file: string, nowMs: () => number = () => performance.now()) {
    this.#file = file;
    this.#nowMs = nowMs;
    this.#readAtMs = nowMs();
    try {
      this.#key = read(file);
    } catch (cause) {
      throw new InvalidArgumentError(
        `the key in ${file} (apiKeyFile or TAILKEEP_API_KEY_FILE) cannot be used: ${String(cause)}`,
        {
          code: "BAD_FIELD",
          retryable: false,
          grpcStatus: 3,
          cause,
        },
      );
    }
  }

  /** The key, at most a second old. */
  get key(): string {
    const nowMs = this.#nowMs();
    if (nowMs - this.#readAtMs >= KEY_FILE_READ_MS_MIN) {
      this.#readAtMs = nowMs;
      try {
        this.#key = read(this.#file);
      } catch {
        // The key before may still be good; where it is not, the server says so.
      }
    }
    return this.#key;
  }
}

/** Its only line. Never part of a message. */
function read(file: string): string {
  const key = readFileSync(file, "utf8").trim();
  if (key === "" || /[^\x21-\x7e]/.test(key)) throw new Error("it must have the key as its only line");
  return key;
}
