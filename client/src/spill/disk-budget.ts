/** How much may be spilled: a quota of bytes, and free space that is left to others. Both are asked at every append. */

import type { Clock } from "../clock.js";
import { SPILL_DISK_CHECK_BYTES, SPILL_DISK_CHECK_MS } from "../limits.js";
import type { Disk } from "./disk.js";
import type { SpillProblems } from "./problems.js";

export interface DiskBudgetSettings {
  readonly bytesMax: number;
  readonly freeBytesMin: number;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly problems: SpillProblems;
  /** What is spilled at present. */
  readonly usedBytes: () => number;
}

export class DiskBudget {
  readonly #settings: DiskBudgetSettings;
  #folder: string | undefined;
  /** As of the last check. */
  #freeBytes = Number.POSITIVE_INFINITY;
  #bytesSinceCheck = 0;
  /** No less than what is spilled, but for what failed files cost; counting all logs at every append would cost more. */
  #usedBytesMost = Number.POSITIVE_INFINITY;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #isChecking = false;

  constructor(settings: DiskBudgetSettings) {
    this.#settings = settings;
  }

  /** Where the space is taken from. Asks once, at once: the first append may not go by luck. */
  watch(folder: string): void {
    this.#folder = folder;
    try {
      this.#found(this.#settings.disk.freeBytesSync(folder));
    } catch {
      // A file system that does not say is full when it says so.
    }
  }

  /** Whether `bytes` more may be spilled. */
  take(bytes: number): boolean {
    const { bytesMax, freeBytesMin, problems } = this.#settings;
    this.#checkIfDue();
    if (this.#usedBytesMost + bytes > bytesMax) this.#usedBytesMost = this.#settings.usedBytes();
    if (this.#usedBytesMost + bytes > bytesMax) {
      problems.say(
        "SPILL_QUOTA_FULL",
        `the spill folder ${this.#folder} holds its quota of ${bytesMax} bytes: records that cannot be sent follow their ` +
          "overflow policy until the server is back; raise spill.bytesMax to bridge longer outages",
      );
      return false;
    }
    if (this.#freeBytes - this.#bytesSinceCheck - bytes < freeBytesMin) {
      problems.say(
        "SPILL_DISK_LOW",
        `the disk of the spill folder ${this.#folder} is full, or would keep less than ${freeBytesMin} bytes free: records ` +
          "that cannot be sent follow their overflow policy until there is room; free disk space, move spill.folder to a larger disk, or " +
          "lower spill.freeBytesMin",
      );
      return false;
    }
    this.#bytesSinceCheck += bytes;
    this.#usedBytesMost += bytes;
    return true;
  }

  #checkIfDue(): void {
    const { clock, disk } = this.#settings;
    if (this.#isChecking || this.#folder === undefined) return;
    const isDue =
      this.#bytesSinceCheck >= SPILL_DISK_CHECK_BYTES || clock.nowMs() - this.#checkedAtMs >= SPILL_DISK_CHECK_MS;
    if (!isDue) return;
    this.#isChecking = true;
    this.#usedBytesMost = this.#settings.usedBytes();
    const countedBefore = this.#bytesSinceCheck;
    void disk.freeBytes(this.#folder).then(
      (bytes) => {
        this.#isChecking = false;
        // What came while it was asked may or may not be in the answer.
        this.#found(bytes, this.#bytesSinceCheck - countedBefore);
      },
      () => {
        this.#isChecking = false;
        this.#checkedAtMs = clock.nowMs();
      },
    );
  }

  #found(freeBytes: number, bytesSince = 0): void {
    this.#freeBytes = freeBytes;
    this.#bytesSinceCheck = bytesSince;
    this.#checkedAtMs = this.#settings.clock.nowMs();
  }
}
