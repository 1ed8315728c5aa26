/** First form of the bounded containers. */
export interface ListObserver<T> {
  appended(item: T): void;
  evicted(count: number): void;
  changed(isEmpty: boolean): void;
}
export interface BoundedListOptions<T> {
  readonly capacity?: number | undefined;
  readonly bytesMax?: number | undefined;
  readonly sizeOf?: ((item: T) => number) | undefined;
  readonly name?: string | undefined;
}
export class BoundedList<T> extends Array<T> {
  static override get [Symbol.species]() {
    return Array;
  }
  capacity: number;
  evictions = 0;
  name: string | undefined;
  byteLength: number | undefined;
  #o: ListObserver<T> | undefined;
  constructor(options: BoundedListOptions<T> = {}, o?: ListObserver<T>) {
    super();
    this.capacity = options.capacity ?? 100;
    this.name = options.name;
    this.#o = o;
    for (const k of ["capacity", "evictions", "name", "byteLength"])
      Object.defineProperty(this, k, { enumerable: false, writable: true });
  }
  append(item: T): void {
    this.#o?.appended(item);
    super.push(item);
    let n = 0;
    while (this.length > this.capacity) {
      super.shift();
      n++;
    }
    this.evictions += n;
    if (n > 0) this.#o?.evicted(n);
  }
  override push(...items: T[]): number {
    for (const i of items) this.append(i);
    return this.length;
  }
  extend(items: Iterable<T>): void {
    for (const i of items) this.append(i);
  }
  clear(): void {
    this.length = 0;
    this.#o?.changed(true);
  }
  override sort(c?: (a: T, b: T) => number): this {
    super.sort(c);
    this.#o?.changed(this.length === 0);
    return this;
  }
  getRecent(n: number): T[] {
    return n > 0 ? [...this].slice(-n) : [];
  }
  toList(): T[] {
    return [...this];
  }
  resize(c: number): void {
    this.capacity = c;
    let n = 0;
    while (this.length > c) {
      super.shift();
      n++;
    }
    if (n > 0) this.#o?.evicted(n);
  }
}
export class BoundedDict<K, V> {
  capacity: number;
  evictions = 0;
  #m = new Map<K, V>();
  byteLength: number | undefined;
  constructor(o: {
    readonly capacity?: number | undefined;
    readonly name?: string | undefined;
    readonly bytesMax?: number | undefined;
    readonly sizeOf?: ((v: V) => number) | undefined;
  }) {
    this.capacity = o.capacity ?? 100;
  }
  get size() {
    return this.#m.size;
  }
  has(k: K) {
    return this.#m.has(k);
  }
  get(k: K) {
    const v = this.#m.get(k);
    if (this.#m.has(k)) {
      this.#m.delete(k);
      this.#m.set(k, v as V);
    }
    return v;
  }
  set(k: K, v: V): this {
    this.#m.delete(k);
    this.#m.set(k, v);
    while (this.#m.size > this.capacity) {
      const [ok, ov] = this.#m.entries().next().value as [K, V];
      this.#m.delete(ok);
      this.evictions++;
      this.evicted(ok, ov);
    }
    return this;
  }
  clear() {
    this.#m.clear();
  }
  delete(k: K): boolean {
    return this.#m.delete(k);
  }
  peek(k: K): V | undefined {
    return this.#m.get(k);
  }
  keys() {
    return this.#m.keys();
  }
  values() {
    return this.#m.values();
  }
  entries() {
    return this.#m.entries();
  }
  forEach(f: (value: V, key: K) => void) {
    this.#m.forEach((v, k) => {
      f(v, k);
    });
  }
  [Symbol.iterator]() {
    return this.#m.entries();
  }
  toObject(): Record<string, V> {
    return Object.fromEntries(this.#m as unknown as Map<string, V>);
  }
  asObject(): Record<string, V> {
    const dict = this as unknown as BoundedDict<string, V>;
    return new Proxy(
      {},
      {
        get: (_, k) => (typeof k === "string" ? dict.get(k) : undefined),
        set: (_, k, v: V) => {
          if (typeof k === "string") dict.set(k, v);
          return true;
        },
        has: (_, k) => typeof k === "string" && dict.has(k),
        deleteProperty: (_, k) => {
          if (typeof k === "string") dict.delete(k);
          return true;
        },
        ownKeys: () => [...dict.keys()],
        getOwnPropertyDescriptor: (_, k) =>
          typeof k === "string" && dict.has(k)
            ? { value: dict.peek(k), enumerable: true, configurable: true, writable: true }
            : undefined,
      },
    );
  }
  resize(c: number) {
    this.capacity = c;
  }
  protected evicted(_k: K, _v: V): void {}
}
