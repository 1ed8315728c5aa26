/** A spill that keeps its logs in memory, with a quota: what a simulated disk does. Written at once, lost never. */
import type { EncodedBatch } from "../../../client/src/encode/encoded-batch.js";
import type { OrphanedLog, RecorderLog, RecorderSpill } from "../../../client/src/recorder/spill-port.js";
import type { StreamIdentity } from "../../../client/src/recorder/stream-link.js";

export class MemorySpill implements RecorderSpill {
  bytesMax: number;
  readonly logs = new Set<MemoryLog>();
  orphans: OrphanedLog[] = [];

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    let bytes = 0;
    for (const log of this.logs) bytes += log.bytes;
    return bytes;
  }

  log(identity: StreamIdentity): MemoryLog {
    const log = new MemoryLog(identity, this);
    this.logs.add(log);
    return log;
  }

  adopt(): Promise<readonly OrphanedLog[]> {
    const { orphans } = this;
    this.orphans = [];
    return Promise.resolve(orphans);
  }

  /** What a process killed now leaves behind. */
  orphaned(): OrphanedLog[] {
    return [...this.logs]
      .filter((log) => log.batches.length > 0)
      .map(({ identity, firstSeq, lastSeq, batches }) => {
        // Files of their own: who was killed reads no further.
        const log = new MemoryLog(identity, new MemorySpill(Number.MAX_SAFE_INTEGER));
        for (const batch of batches) log.append(batch);
        return { log, identity, firstSeq, lastSeq };
      });
  }

  writeAllSync(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class MemoryLog implements RecorderLog {
  readonly identity: StreamIdentity;
  readonly unwrittenBytes = 0;
  readonly heldBytes = 0;
  readonly missing = [];
  batches: EncodedBatch[] = [];
  problems: string[] = [];
  isSealed = false;
  #spill: MemorySpill;
  #readSeq = 0;
  #lastSeq = 0;

  constructor(identity: StreamIdentity, spill: MemorySpill) {
    this.identity = identity;
    this.#spill = spill;
  }

  get bytes(): number {
    return this.batches.reduce((sum, batch) => sum + batch.byteLength, 0);
  }
  get firstSeq(): number {
    return this.batches[0]?.firstSeq ?? this.#lastSeq + 1;
  }
  get lastSeq(): number {
    return this.#lastSeq;
  }
  get syncedSeq(): number {
    return this.#lastSeq;
  }
  get atEnd(): boolean {
    return this.#readSeq >= this.#lastSeq;
  }

  append(batch: EncodedBatch): "taken" | "full" {
    if (this.#lastSeq > 0 && batch.firstSeq !== this.#lastSeq + 1) {
      this.problems.push(`${batch.firstSeq} appended after ${this.#lastSeq}`);
    }
    if (this.#spill.bytes + batch.byteLength > this.#spill.bytesMax) return "full";
    if (this.batches.length === 0 && this.#lastSeq === 0) this.#readSeq = batch.firstSeq - 1;
    this.batches.push(batch);
    this.#lastSeq = batch.lastSeq;
    return "taken";
  }

  writeSync(): void {}

  next(): Promise<EncodedBatch | undefined> {
    const batch = this.batches.find(({ firstSeq }) => firstSeq > this.#readSeq);
    if (batch !== undefined) this.#readSeq = batch.lastSeq;
    return Promise.resolve(batch);
  }

  skipTo(seq: number): void {
    this.#readSeq = Math.max(this.#readSeq, seq);
  }

  acked(seq: number): void {
    this.batches = this.batches.filter((batch) => batch.lastSeq > seq);
  }

  remove(): Promise<void> {
    this.batches = [];
    this.#spill.logs.delete(this);
    return Promise.resolve();
  }

  seal(): Promise<void> {
    this.isSealed = true;
    return Promise.resolve();
  }
}
