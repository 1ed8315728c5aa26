/** One WatchRecords call as raw as it gets: everything that came, in order. */
import type { Client, ClientReadableStream, StatusObject } from "@grpc/grpc-js";
import { HistoryServiceService, WatchRecordsRequest, type WatchRecordsResponse } from "@tailkeep/proto";
import { type Ending, endingOf } from "./ingest-probe.js";

const { path, requestSerialize, responseDeserialize } = HistoryServiceService.watchRecords;
const WAIT_MS_MAX = 15_000;

export type WatchedEvent = NonNullable<WatchRecordsResponse["event"]>;

export class WatchProbe {
  readonly events: WatchedEvent[] = [];
  ending: Ending | undefined;
  readonly #call: ClientReadableStream<WatchRecordsResponse>;
  #changed: (() => void)[] = [];

  constructor(client: Client, request: Partial<WatchRecordsRequest>) {
    this.#call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      WatchRecordsRequest.create(request as never),
    );
    this.#call.on("data", ({ event }: WatchRecordsResponse) => {
      if (event !== undefined) this.events.push(event);
      this.#change();
    });
    this.#call.on("error", () => undefined);
    this.#call.on("status", (object: StatusObject) => {
      this.ending = endingOf(object);
      this.#change();
    });
  }

  /** `stream/seq` of the records in the order in which they came. */
  get records(): string[] {
    return this.events.flatMap((event) =>
      event.$case === "record" ? [`${event.value.streamId}/${event.value.seq}`] : [],
    );
  }

  /** The newest cursor. */
  get cursor(): Record<string, bigint> | undefined {
    for (let at = this.events.length - 1; at >= 0; at--) {
      const event = this.events[at];
      if (event?.$case === "caughtUp") return event.value.seqs;
    }
    return undefined;
  }

  /** Every number that was told of, whatever became of it: `stream` to its numbers, in order of arrival. */
  get told(): Map<string, number[]> {
    const told = new Map<string, number[]>();
    const add = (streamId: string, first: bigint, last: bigint) => {
      const numbers = told.get(streamId) ?? [];
      for (let seq = Number(first); seq <= Number(last); seq++) numbers.push(seq);
      told.set(streamId, numbers);
    };
    for (const event of this.events) {
      if (event.$case === "record") add(event.value.streamId, event.value.seq, event.value.seq);
      else if (event.$case !== "caughtUp") add(event.value.streamId, event.value.firstSeq, event.value.lastSeq);
    }
    return told;
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }

  async untilCaughtUp(times = 1): Promise<void> {
    const caughtUp = () => this.events.filter(({ $case }) => $case === "caughtUp").length;
    await this.until(() => caughtUp() >= times, "being caught up");
  }

  async untilEnded(): Promise<Ending> {
    await this.until(() => this.ending !== undefined, "the end of the call", true);
    return this.ending as Ending;
  }

  async until(holds: () => boolean, what: string, mayEnd = false): Promise<void> {
    const giveUpAt = performance.now() + WAIT_MS_MAX;
    while (!holds()) {
      if (this.ending !== undefined && !mayEnd)
        throw new Error(`waited for ${what}, but the watch ended: ${JSON.stringify(this.ending)}`);
      if (performance.now() > giveUpAt) throw new Error(`waited for ${what}; ${this.events.length} events came`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #change(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}
