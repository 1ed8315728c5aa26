/**
 * One budget of memory for everything that a process has appended and the server has not acked. Lanes report what they
 * hold; when it is short, types give way in a stated order, so that frames are lost before scores.
 */

import type { RecordTypeName } from "../records/training-record.js";

/** Who had to drop takes records again below this share of the bound: each change of mind is a gap in the history. */
const ROOM_AGAIN_SHARE = 0.75;

/** What a lane is to the budget. */
export interface BudgetHolder {
  /** The type whose oldest unsent batches it gives up when asked, or undefined: it never gives way. */
  readonly givesWayAs: RecordTypeName | undefined;
  /** Gives up its oldest unsent batch. False if there is none. */
  giveWay(): boolean;
}

export class MemoryBudget {
  readonly bytesMax: number;
  /** From here on types give way and lanes begin to spill. */
  readonly bytesHigh: number;
  readonly #order: readonly RecordTypeName[];
  readonly #held = new Map<BudgetHolder, number>();
  #used = 0;

  constructor(bytesMax: number, order: readonly RecordTypeName[]) {
    this.bytesMax = bytesMax;
    this.bytesHigh = Math.floor(bytesMax / 2);
    this.#order = order;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** `holder` holds this much now. */
  report(holder: BudgetHolder, bytes: number): void {
    this.#used += bytes - (this.#held.get(holder) ?? 0);
    this.#held.set(holder, bytes);
  }

  remove(holder: BudgetHolder): void {
    this.#used -= this.#held.get(holder) ?? 0;
    this.#held.delete(holder);
  }

  /** Whether `bytes` more stay below the high-water mark, after whatever gives way before `asker` has done so. */
  makeRoom(asker: BudgetHolder, bytes: number): boolean {
    if (this.#used + bytes <= this.bytesHigh) return true;
    for (const holder of this.#givingWayBefore(asker)) {
      while (holder.giveWay()) if (this.#used + bytes <= this.bytesHigh) return true;
    }
    return false;
  }

  /** Whether `bytes` more fit at all. */
  fits(bytes: number): boolean {
    return this.#used + bytes <= this.bytesMax;
  }

  /** Whether so much has become free that taking records again is no to and fro. */
  get hasRoomAgain(): boolean {
    return this.#used <= this.bytesMax * ROOM_AGAIN_SHARE;
  }

  /** First those whose type gives way first; the asker itself in its turn; none that comes after it. */
  #givingWayBefore(asker: BudgetHolder): BudgetHolder[] {
    const rank = (holder: BudgetHolder): number =>
      holder.givesWayAs === undefined ? Number.POSITIVE_INFINITY : this.#order.indexOf(holder.givesWayAs);
    const own = rank(asker);
    return [...this.#held.keys()]
      .filter((holder) => holder.givesWayAs !== undefined && rank(holder) <= own)
      .sort((a, b) => rank(a) - rank(b));
  }
}
