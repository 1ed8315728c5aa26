/** What a BoundedList must do: what an Array does, and then the oldest are dropped until the bounds hold. */
export class ListModel {
  items: (number | undefined)[] = [];
  evictions = 0;
  capacity: number;
  readonly bytesMax: number | undefined;

  constructor(capacity: number, bytesMax: number | undefined) {
    this.capacity = capacity;
    this.bytesMax = bytesMax;
  }

  /** Items weigh what they are. */
  get bytes(): number {
    return this.items.reduce<number>((sum, item) => sum + (item ?? 0), 0);
  }

  append(...items: number[]): void {
    for (const item of items) {
      this.items.push(item);
      this.fit();
    }
  }

  /** Any other change of the array. Holes that it leaves are filled. */
  change<Result>(change: (items: (number | undefined)[]) => Result): Result {
    const result = change(this.items);
    this.items = Array.from(this.items);
    this.fit();
    return result;
  }

  fit(): void {
    while (this.items.length > this.capacity || this.bytes > (this.bytesMax ?? this.bytes)) {
      this.items.shift();
      this.evictions++;
    }
  }
}
