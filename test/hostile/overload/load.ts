/** Load on a server: as much as it takes (closed loop), or so much whatever it takes (open loop). */
import { setTimeout as sleep } from "node:timers/promises";
import { ChannelCredentials, Client } from "@grpc/grpc-js";
import { residentBytes } from "../resident.js";
import { encodedEntries, LoadStream } from "./load-stream.js";

const STREAMS_PER_CONNECTION = 32;
/** Batches that a writer of the closed loop has unacked. */
const WINDOW = 4;
const TICK_MS = 5;

export function connectionTo(address: string): Client {
  return new Client(address, ChannelCredentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.enable_channelz": 0,
    "grpc.max_send_message_length": -1,
  });
}

const sorted = (acks: readonly { ms: number }[]) => acks.map(({ ms }) => ms).sort((a, b) => a - b);

function percentile(rising: readonly number[], share: number): number {
  return rising[Math.min(rising.length - 1, Math.floor(share * rising.length))] ?? 0;
}

export interface LoadOptions {
  readonly address: string;
  readonly serverPid: number;
  readonly streams: number;
  readonly batchRecords: number;
  /** Distinguishes the sessions of one load from those of another. */
  readonly name: string;
}

export interface LoadResult {
  readonly ackedPerSecond: number;
  readonly offeredPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Of what was sent after the first third: before, every stream has used up the largest batch that it may always send. */
  readonly settledP99Ms: number;
  /** Calls that the server ended. */
  readonly endedCalls: number;
  readonly endings: ReadonlySet<string>;
  readonly residentBytesMax: number;
  /** From the last offer until everything that was sent is acked. */
  readonly drainedMs: number;
  /** Records sent in calls that went on, and not acked at the end: must be none. */
  readonly unacked: number;
}

export class Load {
  readonly #options: LoadOptions;
  readonly #clients: Client[];
  readonly #streams: LoadStream[];
  #closedLoop = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { address, streams, batchRecords, name } = options;
    const entries = encodedEntries(batchRecords);
    this.#clients = Array.from({ length: Math.ceil(streams / STREAMS_PER_CONNECTION) }, () => connectionTo(address));
    this.#streams = Array.from({ length: streams }, (_, at) => {
      const client = this.#clients[at % this.#clients.length] as Client;
      const ids = { sessionId: `${name}-${at % 8}`, streamId: `${name}-${at}` };
      return new LoadStream(client, ids, entries, batchRecords, (stream) => {
        while (this.#closedLoop && stream.inFlight < WINDOW && stream.send());
      });
    });
  }

  /** Resolves when every call is opened, or ended by the server. */
  async ready(ms = 60_000): Promise<void> {
    const until = performance.now() + ms;
    while (this.#streams.some(({ opened, ending }) => !opened && ending === undefined)) {
      if (performance.now() > until) throw new Error("the streams are not opened in time");
      await sleep(20);
    }
  }

  /** Every writer sends its next batch as soon as one is acked. */
  async closedLoop(seconds: number): Promise<LoadResult> {
    this.#closedLoop = true;
    for (const stream of this.#streams) while (stream.inFlight < WINDOW && stream.send());
    return await this.#measure(seconds, () => undefined);
  }

  /** So many records a second are offered, whatever becomes of them. */
  async openLoop(seconds: number, recordsPerSecond: number): Promise<LoadResult> {
    const { batchRecords } = this.#options;
    let due = 0;
    let next = 0;
    let lastMs = performance.now();
    return await this.#measure(seconds, () => {
      const now = performance.now();
      due += ((now - lastMs) / 1_000) * (recordsPerSecond / batchRecords);
      lastMs = now;
      // An offer that credit does not allow is lost, as a trainer's would go to its spill.
      for (; due >= 1; due--) this.#streams[next++ % this.#streams.length]?.send();
      return recordsPerSecond;
    });
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
    for (const client of this.#clients) client.close();
  }

  #acked(): number {
    return this.#streams.reduce((sum, { ackedRecords }) => sum + ackedRecords, 0);
  }

  async #measure(seconds: number, offer: () => number | undefined): Promise<LoadResult> {
    let residentBytesMax = 0;
    const sampler = setInterval(() => {
      residentBytesMax = Math.max(residentBytesMax, residentBytes(this.#options.serverPid));
    }, 100);
    const startedMs = performance.now();
    const before = this.#acked();
    let offered: number | undefined;
    while (performance.now() - startedMs < seconds * 1_000) {
      offered = offer();
      await sleep(TICK_MS);
    }
    const ackedPerSecond = (this.#acked() - before) / ((performance.now() - startedMs) / 1_000);
    this.#closedLoop = false;
    const drainFromMs = performance.now();
    const living = () => this.#streams.filter(({ ending }) => ending === undefined);
    while (living().some(({ inFlight }) => inFlight > 0) && performance.now() - drainFromMs < 60_000) await sleep(10);
    clearInterval(sampler);
    const acks = this.#streams.flatMap((stream) => stream.acks);
    const latencies = sorted(acks);
    const settled = sorted(acks.filter(({ sentAtMs }) => sentAtMs > startedMs + (seconds * 1_000) / 3));
    const ended = this.#streams.filter(({ ending }) => ending !== undefined);
    return {
      ackedPerSecond,
      offeredPerSecond: offered ?? ackedPerSecond,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      maxMs: percentile(latencies, 1),
      settledP99Ms: percentile(settled, 0.99),
      endedCalls: ended.length,
      endings: new Set(
        ended.map(({ ending }) => `${ending?.metadata.get("tailkeep-code").join()}: ${ending?.details}`),
      ),
      residentBytesMax,
      drainedMs: performance.now() - drainFromMs,
      unacked: living().reduce((sum, { sentRecords, ackedRecords }) => sum + sentRecords - ackedRecords, 0),
    };
  }
}
