/** Sum and mean of the newest numbers. The numbers are whole here, so that the running sum is exact. */
export class RollingWindow {
  readonly #values: number[] = [];
  readonly #capacity: number;
  #sum = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(value: number): void {
    this.#values.push(value);
    this.#sum += value;
    if (this.#values.length > this.#capacity) this.#sum -= this.#values.shift() ?? 0;
  }

  get sum(): number {
    return this.#sum;
  }

  /** NaN while empty. */
  get mean(): number {
    return this.#sum / this.#values.length;
  }
}
