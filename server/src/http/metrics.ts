/** The server's metrics. All are gauges and counters that are read when scraped, or cheap to count; labels are fixed sets. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { RESIDENT_BYTES_MAX } from "../limits.js";

/** What is read at every scrape. */
export interface Readings {
  openStreams(): number;
  watchers(): number;
  waitingRecords(): number;
  ingestBytes(): number;
  ingestBytesMax(): number;
  cache(): { sessions: number; bytes: number; hits: number; misses: number; evictions: number };
  /** What is summed up for charts. */
  series(): { streams: number; behind: number; bytes: number };
  storeUp(): boolean;
  /** False while unknown, too. */
  storeDurable(): boolean;
  expiryHeld(): boolean;
  /** Whether the server goes on with an earlier configuration than the file's. */
  configRefused(): boolean;
}

/** Seconds: from a commit into a page cache to a disk that is in trouble. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class Metrics {
  readonly registry = new Registry();
  readonly receivedBytes = this.#counter("ingest_received_bytes_total", "Encoded bytes of batches received.");
  readonly receivedRecords = this.#counter("ingest_received_records_total", "Records received, rejected ones too.");
  readonly committedRecords = this.#counter("commit_records_total", "Records committed to their tables.");
  readonly rejectedRecords = this.#counter("commit_rejected_records_total", "Records committed to the dead letters.");
  readonly gappedRecords = this.#counter("commit_gapped_records_total", "Numbers committed as gaps.");
  readonly commitRetries = this.#counter("commit_retries_total", "Transactions that had to be run again.");
  readonly regressions = this.#counter(
    "stream_regressions_total",
    "Streams whose database had forgotten acked records.",
  );
  readonly brokenStreams = this.#counter("stream_broken_total", "Streams stopped by a broken invariant. Alarm on any.");
  readonly expiredRows = this.#counter("expired_rows_total", "Rows that expired; on MySQL the database's estimate.");
  readonly summedRecords = this.#counter("series_records_total", "Records whose sums for charts were stored.");
  readonly seriesFailures = this.#counter(
    "series_failures_total",
    "Times that sums for charts had to wait for the store.",
  );
  readonly commitSeconds = new Histogram({
    name: "tailkeep_commit_duration_seconds",
    help: "Duration of group commits.",
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly #calls = new Counter({
    name: "tailkeep_rpc_calls_total",
    help: "Calls that ended, by method and outcome.",
    labelNames: ["method", "code"],
    registers: [this.registry],
  });
  /** prom-client looks labels up by hashing them; the few combinations are kept. */
  readonly #callCounters = new Map<string, { inc(): void }>();

  constructor(version: string) {
    new Gauge({
      name: "tailkeep_build_info",
      help: "Always 1; the label is the version.",
      labelNames: ["version"],
      registers: [this.registry],
    }).set({ version }, 1);
  }

  /** Serves these as well from now on. */
  serve(readings: Readings): void {
    this.#gauge("streams_open", "Ingest streams that are open.", () => readings.openStreams());
    this.#gauge("watchers", "Connected watchers.", () => readings.watchers());
    this.#gauge("commit_waiting_records", "Records that wait for their transaction.", () => readings.waitingRecords());
    this.#gauge("ingest_memory_bytes", "Memory charged for batches not yet committed.", () => readings.ingestBytes());
    this.#gauge("ingest_memory_limit_bytes", "Most memory that may be charged.", () => readings.ingestBytesMax());
    this.#gauge("cache_sessions", "Sessions with newest records in memory.", () => readings.cache().sessions);
    this.#gauge("cache_bytes", "Memory of newest records.", () => readings.cache().bytes);
    this.#collected("cache_hits_total", "Tails answered from memory.", () => readings.cache().hits);
    this.#collected("cache_misses_total", "Tails answered from the store.", () => readings.cache().misses);
    this.#collected("cache_evictions_total", "Sessions evicted from memory.", () => readings.cache().evictions);
    this.#gauge("series_streams", "Streams that are summed up for charts.", () => readings.series().streams);
    this.#gauge("series_streams_behind", "Of these, streams with records to sum up.", () => readings.series().behind);
    this.#gauge("series_memory_bytes", "Memory of sums for charts.", () => readings.series().bytes);
    this.#gauge("store_up", "1 while the store answers.", () => (readings.storeUp() ? 1 : 0));
    this.#gauge("store_durable", "1 while commits survive a power loss.", () => (readings.storeDurable() ? 1 : 0));
    this.#gauge("expiry_held", "1 while nothing expires because clocks disagree.", () =>
      readings.expiryHeld() ? 1 : 0,
    );
    this.#gauge("config_refused", "1 while the configuration file is refused, and the one before goes on.", () =>
      readings.configRefused() ? 1 : 0,
    );
    this.#gauge("resident_memory_limit_bytes", "Stated cap at the default settings.", () => RESIDENT_BYTES_MAX);
    this.#gauge("resident_memory_bytes", "Resident memory of the server.", () => process.memoryUsage.rss());
    this.#gauge("heap_used_bytes", "JavaScript heap in use.", () => process.memoryUsage().heapUsed);
    this.#gauge(
      "external_memory_bytes",
      "Memory of buffers outside the JavaScript heap.",
      () => process.memoryUsage().external,
    );
  }

  call(method: string, code: string): void {
    const key = `${method} ${code}`;
    let counter = this.#callCounters.get(key);
    if (counter === undefined) {
      counter = this.#calls.labels(method, code);
      this.#callCounters.set(key, counter);
    }
    counter.inc();
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `tailkeep_${name}`, help, registers: [this.registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `tailkeep_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A counter that is counted elsewhere. */
  #collected(name: string, help: string, read: () => number): void {
    new Counter({
      name: `tailkeep_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
