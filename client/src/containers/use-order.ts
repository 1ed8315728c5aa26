/**
 * The order in which slots were used, the one used longest ago first: a doubly linked list in a typed array.
 *
 *   slot   | previous | next | stamp (8 bytes) |     16 bytes, so that a use touches one line of memory of its own slot
 *
 * Slot 0 is both ends. A stamp is the time of the use, counted in uses; it ascends along the list. An iteration remembers
 * the stamp of where it stands and so finds its place again whatever was moved or removed meanwhile, and nothing has to
 * know of iterations that were begun and forgotten.
 *
 * While a loop runs, uses move nothing: `for (const k of d.keys()) d.get(k)` would never end otherwise, as each key went to
 * the end that the loop runs to. A loop is over when it is exhausted or left; one that was abandoned without a word (a
 * generator that nobody resumes) is taken as over after ITERATION_USES_MAX uses.
 */

const LINKS = 4;
const STAMPS = 2;

export class UseOrder {
  readonly #links: Int32Array;
  readonly #stamps: Float64Array;
  #clock: number;
  /** Highest slot that was ever taken. */
  #taken = 0;
  /** Head of the slots that were given back, chained by `next`; 0 if there is none. */
  #free = 0;
  /** Loops under way, and what is left until they count as abandoned. */
  #loops = 0;
  #usesLeft = 0;
  /** Changes when loops are given up: those that go on nevertheless count anew. */
  #era: number;

  /**
   * Slots 1 to `capacity`, none taken. Memory is taken by the system as slots are used, not before. Iterations that stand
   * in `predecessor` go on in this one.
   */
  constructor(capacity: number, predecessor?: UseOrder) {
    const buffer = new ArrayBuffer((capacity + 1) * LINKS * Int32Array.BYTES_PER_ELEMENT);
    this.#links = new Int32Array(buffer);
    this.#stamps = new Float64Array(buffer);
    this.#clock = predecessor?.clock ?? 0;
    this.#era = predecessor === undefined ? 1 : predecessor.#era + 1;
  }

  /** Slots in the order have stamps up to this. */
  get clock(): number {
    return this.#clock;
  }
  get oldest(): number {
    return this.#links[1] as number;
  }
  get newest(): number {
    return this.#links[0] as number;
  }

  next(slot: number): number {
    return this.#links[slot * LINKS + 1] as number;
  }

  /** 0 for a slot that is not taken. */
  stamp(slot: number): number {
    return this.#stamps[slot * STAMPS + 1] as number;
  }

  /** Takes a slot, as the newest; there must be one. A stamp may be given that is later than all others. */
  add(stamp?: number): number {
    const links = this.#links;
    let slot = this.#free;
    if (slot === 0) slot = ++this.#taken;
    else this.#free = links[slot * LINKS + 1] as number;
    this.#append(slot, stamp ?? ++this.#clock);
    return slot;
  }

  /** Gives a slot back. */
  remove(slot: number): void {
    this.#unlink(slot);
    this.#stamps[slot * STAMPS + 1] = 0;
    this.#links[slot * LINKS + 1] = this.#free;
    this.#free = slot;
  }

  /** Makes a slot the newest, unless a loop is under way. */
  use(slot: number): void {
    if (this.#usesLeft !== 0) this.#useDuringLoop();
    else if (this.#links[0] !== slot) {
      this.#unlink(slot);
      this.#append(slot, ++this.#clock);
    }
  }

  /** A loop makes a step. Returns what it shall give at its next step and at its end; 0 at the first. */
  step(era: number, usesMax: number): number {
    if (era !== this.#era) this.#loops++;
    if (this.#usesLeft < usesMax) this.#usesLeft = usesMax;
    return this.#era;
  }

  /** A loop has ended. */
  leave(era: number): void {
    if (era === this.#era && --this.#loops === 0) this.#usesLeft = 0;
  }

  #useDuringLoop(): void {
    if (--this.#usesLeft > 0) return;
    this.#loops = 0;
    this.#era++;
  }

  #unlink(slot: number): void {
    const links = this.#links;
    const previous = links[slot * LINKS] as number;
    const next = links[slot * LINKS + 1] as number;
    links[previous * LINKS + 1] = next;
    links[next * LINKS] = previous;
  }

  #append(slot: number, stamp: number): void {
    const links = this.#links;
    const newest = links[0] as number;
    links[newest * LINKS + 1] = slot;
    links[slot * LINKS] = newest;
    links[slot * LINKS + 1] = 0;
    links[0] = slot;
    this.#stamps[slot * STAMPS + 1] = stamp;
  }
}
