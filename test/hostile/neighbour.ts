/** A writer that behaves, beside whatever else is going on: everything it sends is acked, and stored once. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { IngestProbe } from "../support/grpc/ingest-probe.js";
import { Stubs } from "../support/grpc/stubs.js";
import { recordEntry, score } from "../support/records/batches.js";

const EVERY_MS = 20;

export class Neighbour {
  readonly #stubs: Stubs;
  readonly #probe: IngestProbe;
  /** Nobody else can name it. */
  readonly #sessionId = `neighbour ${randomUUID()}`;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #problem: string | undefined;
  #seq = 0;
  slowestAckMs = 0;

  private constructor(stubs: Stubs, probe: IngestProbe) {
    this.#stubs = stubs;
    this.#probe = probe;
    this.#running = this.#run().catch((error: unknown) => {
      this.#problem = `the neighbour was hurt: ${String(error)}`;
    });
  }

  static async start(address: string): Promise<Neighbour> {
    const stubs = new Stubs(address);
    const probe = stubs.ingest();
    const neighbour = new Neighbour(stubs, probe);
    await probe.untilOpened();
    return neighbour;
  }

  get acked(): number {
    return this.#probe.ackedSeq;
  }

  /** Stops writing, and returns what is missing or wrong of it. */
  async end(reader: Stubs): Promise<string[]> {
    this.#stop.abort();
    await this.#running;
    if (this.#problem !== undefined) return [this.#problem];
    const { streams } = await reader.call("getLedger", { sessionId: this.#sessionId });
    const [ledger] = streams;
    const expected = BigInt(this.#seq);
    if (ledger?.committedSeq === expected && ledger.counts?.stored === expected) return [];
    return [`the neighbour sent ${expected} records, and ${ledger?.counts?.stored ?? 0} are stored`];
  }

  close(): void {
    this.#stop.abort();
    this.#stubs.close();
  }

  async #run(): Promise<void> {
    this.#probe.open({ sessionId: this.#sessionId, streamId: "s", writerId: "w" });
    await this.#probe.untilOpened();
    while (!this.#stop.signal.aborted) {
      const startedMs = performance.now();
      this.#seq++;
      this.#probe.batch(this.#seq, [recordEntry(score(this.#seq))]);
      await this.#probe.untilAcked(this.#seq);
      this.slowestAckMs = Math.max(this.slowestAckMs, performance.now() - startedMs);
      await sleep(EVERY_MS);
    }
  }
}
