import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "../errors/errors.js";
import { KEY_FILE_READ_MS_MIN } from "../limits.js";

function bad(message: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: "BAD_FIELD", retryable: false, grpcStatus: 3, cause });
}

/**
 * The API key of a client. It stands in a private field: options that are logged, as JSON or by `inspect`, do not show it.
 *
 * One from a file is read again as calls are made: a rotated key is replaced there, and no process has to be started anew.
 * A file that cannot be read for a moment, because it is being replaced, leaves the key before.
 */
export class ApiKeySource {
  readonly #file: string | undefined;
  readonly #nowMs: () => number;
  #key: string;
  #readAtMs = 0;

  private constructor(key: string, file: string | undefined, nowMs: () => number) {
    this.#key = key;
    this.#file = file;
    this.#nowMs = nowMs;
    this.#readAtMs = nowMs();
  }

  /** The key itself. Throws InvalidArgumentError for text that no header can carry; the message does not repeat it. */
  static ofText(key: string): ApiKeySource {
    if (!isSendable(key)) {
      throw bad(
        "apiKey (or TAILKEEP_API_KEY) has white space or other characters that no key has; set it as it was shown",
      );
    }
    return new ApiKeySource(key, undefined, () => 0);
  }

  /** A file whose only line is the key. Throws InvalidArgumentError if there is none in it now. */
  static ofFile(file: string, nowMs: () => number = () => performance.now()): ApiKeySource {
    try {
      return new ApiKeySource(read(file), file, nowMs);
    } catch (cause) {
      throw bad(`the key in ${file} (apiKeyFile or TAILKEEP_API_KEY_FILE) cannot be used: ${String(cause)}`, cause);
    }
  }

  /** The key now; of a file at most a second old. */
  get current(): string {
    if (this.#file === undefined) return this.#key;
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

function isSendable(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}

/** Its only line. Never part of a message. */
function read(file: string): string {
  const key = readFileSync(file, "utf8").trim();
  if (!isSendable(key)) throw new Error("it must have the key as its only line");
  return key;
}
