/** A number of places; whoever finds none free waits in line. */
export class Slots {
  private free: number;
  private readonly count: number;
  private readonly waiting: (() => void)[] = [];

  constructor(count: number) {
    this.count = count;
    this.free = count;
  }

  async take(): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  give(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.free += 1;
  }

  async with<T>(use: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await use();
    } finally {
      this.give();
    }
  }

  /** Resolves when nobody holds one; nobody may take one afterwards. */
  async allGiven(): Promise<void> {
    for (let taken = 0; taken < this.count; taken += 1) await this.take();
  }
}
