/** The wall clock of a process, set at any time from outside; its monotonic clock stays right, as a machine's does. */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faketimeLibrary } from "./tools.js";

/** How long a process takes to notice at most: the library looks at its file when more than one whole second has passed. */
export const CLOCK_NOTICED_MS = 2_200;

export class FakeClock {
  readonly #folder = mkdtempSync(join(tmpdir(), "tailkeep-clock-"));
  readonly #file = join(this.#folder, "offset");

  constructor() {
    this.set(0);
  }

  /** Environment of the process; empty where there is no such library. */
  get environment(): Readonly<Record<string, string>> {
    if (faketimeLibrary === undefined) return {};
    return {
      LD_PRELOAD: faketimeLibrary,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Ahead of the right time, or behind it. */
  set(offsetSeconds: number): void {
    const sign = offsetSeconds < 0 ? "-" : "+";
    writeFileSync(`${this.#file}.new`, `${sign}${Math.abs(offsetSeconds)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    removeLeftovers();
  }
}

const SHARED_MEMORY = "/dev/shm";

/** The library leaves something of every process that was killed. */
function removeLeftovers(): void {
  if (!existsSync(SHARED_MEMORY)) return;
  for (const name of readdirSync(SHARED_MEMORY)) {
    const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(SHARED_MEMORY, name), { force: true });
  }
}
