/**
 * Slots in the order of their use: a doubly linked list, the one used longest ago first; slot 0 is both its ends.
 *
 * Walks. An iteration remembers the stamp of where it stands, and so finds its place again whatever was moved or removed
 * meanwhile. Stamps ascend along the list. They are given only while there is a walk that began and did not end, since each
 * costs a write to memory: one to an entry that a walk comes to, and one to an entry that is moved to the end or added there.
 *
 *   stamps   41 42 43  -  -  -  51 52        - is an entry that no walk has come to and that nobody has used
 *
 * Nobody has to know of walks that were forgotten: all they cost is that stamps are given from then on.
 *
 * Loops. While a loop is under way, uses move nothing: `for (const k of d.keys()) d.get(k)` would never end otherwise, as
 * each key went to the end that the loop runs to. A loop is over when it is exhausted or left; one that was abandoned
 * without a word (a generator that nobody resumes) is taken as over after ITERATION_USES_MAX uses.
 */

export class UseOrder {
  /** Of each slot the one before it and the one after it. */
  readonly #links: Uint16Array | Uint32Array;
  /** Slots, with slot 0. */
  readonly #slots: number;
  /** Highest slot that was ever taken, and head of those that were given back, chained by their links; 0 if there is none. */
  #taken = 0;
  #free = 0;

  /** Walks that began and did not end. */
  #walks = 0;
  /** By slot; made for the first walk. */
  #stamps: Float64Array | undefined;
  /** Stamps up to this one are of walks that are over: they say nothing. */
  #before = 0;
  /** Stamps last given to an entry that a walk came to, and to one that was moved or added. */
  #reached = 0;
  #clock = 0;

  /** Loops under way, and uses that are left until they count as abandoned. */
  #loops = 0;
  #usesLeft = 0;
  /** Changes when loops are given up: those that go on nevertheless count anew. */
  #era = 1;

  /** For slots 1 to `capacity`, none taken. Walks through `predecessor` can go on in this one. */
  constructor(capacity: number, predecessor?: UseOrder) {
    this.#slots = capacity + 1;
    this.#links = this.#slots <= 2 ** 16 ? new Uint16Array(2 * this.#slots) : new Uint32Array(2 * this.#slots);
    if (predecessor === undefined) return;
    this.#era = predecessor.#era + 1;
    this.#before = predecessor.#before;
    this.#reached = predecessor.#reached;
    this.#clock = predecessor.#clock;
    this.#walks = predecessor.#walks;
    if (this.#walks > 0) this.#stamps = new Float64Array(this.#slots);
  }

  get capacity(): number {
    return this.#slots - 1;
  }

  /** The slot used longest ago; 0 if there is none. */
  get oldest(): number {
    return this.#links[1] as number;
  }
  /** The slot used last; 0 if there is none. */
  get newest(): number {
    return this.#links[0] as number;
  }
  /** The slot used next after this one; 0 if there is none. */
  next(slot: number): number {
    return this.#links[2 * slot + 1] as number;
  }

  /** A slot that is not taken becomes the newest. There must be one. */
  take(): number {
    let slot = this.#free;
    if (slot === 0) slot = ++this.#taken;
    else this.#free = this.#links[2 * slot + 1] as number;
    this.#append(slot);
    if (this.#walks !== 0) this.#stamp(slot);
    return slot;
  }

  giveBack(slot: number): void {
    this.#unlink(slot);
    this.#links[2 * slot + 1] = this.#free;
    this.#free = slot;
    if (this.#walks !== 0) (this.#stamps as Float64Array)[slot] = 0;
  }

  /** Makes the oldest slot the newest, for another entry than it had. */
  reuseOldest(): number {
    const slot = this.#links[1] as number;
    this.#unlink(slot);
    this.#append(slot);
    if (this.#walks !== 0) this.#stamp(slot);
    return slot;
  }

  /** Makes a slot the newest, unless a loop is under way. */
  use(slot: number): void {
    if (this.#walks !== 0) this.#useDuringWalk(slot);
    else if (this.#links[0] !== slot) {
      this.#unlink(slot);
      this.#append(slot);
    }
  }

  /** No slot has a later stamp. */
  get clock(): number {
    return this.#clock;
  }

  /** Of a slot that no walk has come to and nobody has moved: 0. */
  stampOf(slot: number): number {
    const stamp = (this.#stamps as Float64Array)[slot] as number;
    return stamp > this.#before ? stamp : 0;
  }

  /** The stamp of a slot to which a walk comes, all before it having been come to. 0 of slot 0. */
  reach(slot: number): number {
    if (slot === 0) return 0;
    const stamp = this.stampOf(slot);
    if (stamp !== 0) return stamp;
    (this.#stamps as Float64Array)[slot] = ++this.#reached;
    return this.#reached;
  }

  /** A walk begins. It says so before all else, and `endWalk` at its end. */
  beginWalk(): void {
    if (++this.#walks > 1) return;
    this.#stamps ??= new Float64Array(this.#slots);
    this.#before = this.#clock;
    this.#reached = this.#clock;
    // What a walk comes to was there before it began, and comes before what is moved or added from now on.
    this.#clock += this.#slots;
  }

  endWalk(): void {
    this.#walks--;
  }

  /** Uses until the loops under way count as abandoned; 0 if there is none. */
  get usesLeft(): number {
    return this.#usesLeft;
  }

  /** A loop makes a step. Returns what it shall give at its next step and at its end; 0 at the first. */
  step(era: number, usesMax: number): number {
    if (era !== this.#era) this.#loops++;
    if (this.#usesLeft < usesMax) this.#usesLeft = usesMax;
    return this.#era;
  }

  /** A loop has ended. Those that it began in have left what they had when it began: its own uses are none of theirs. */
  leave(era: number, usesLeftBefore: number): void {
    if (era !== this.#era) return;
    if (--this.#loops === 0) this.#usesLeft = 0;
    else if (usesLeftBefore > 0 && usesLeftBefore < this.#usesLeft) this.#usesLeft = usesLeftBefore;
  }

  /** Gives a slot of `other` the stamp of one of this order, which `other` succeeds. */
  copyStamp(slot: number, other: UseOrder, otherSlot: number): void {
    if (this.#walks !== 0) (other.#stamps as Float64Array)[otherSlot] = this.stampOf(slot);
  }

  #append(slot: number): void {
    const links = this.#links;
    const newest = links[0] as number;
    links[2 * newest + 1] = slot;
    links[2 * slot] = newest;
    links[2 * slot + 1] = 0;
    links[0] = slot;
  }

  #unlink(slot: number): void {
    const links = this.#links;
    const previous = links[2 * slot] as number;
    const next = links[2 * slot + 1] as number;
    links[2 * previous + 1] = next;
    links[2 * next] = previous;
  }

  #stamp(slot: number): void {
    (this.#stamps as Float64Array)[slot] = ++this.#clock;
  }

  #useDuringWalk(slot: number): void {
    if (this.#usesLeft !== 0) {
      if (--this.#usesLeft > 0) return;
      this.#loops = 0;
      this.#era++;
    } else if (this.#links[0] !== slot) {
      this.#unlink(slot);
      this.#append(slot);
      this.#stamp(slot);
    }
  }
}
