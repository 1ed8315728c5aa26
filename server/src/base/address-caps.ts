/** How many connections there are, in all and from each address. */
export interface ConnectionCaps {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

export class AddressCaps {
  readonly #caps: ConnectionCaps;
  readonly #byAddress = new Map<string, number>();
  #count = 0;

  constructor(caps: ConnectionCaps) {
    this.#caps = caps;
  }

  get count(): number {
    return this.#count;
  }

  /** False: there are too many already. Who enters must leave. */
  enter(address: string): boolean {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#count >= this.#caps.connectionsMax || ofAddress >= this.#caps.connectionsPerAddressMax) return false;
    this.#count++;
    this.#byAddress.set(address, ofAddress + 1);
    return true;
  }

  leave(address: string): void {
    this.#count--;
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}
