/**
 * One Ingest call as raw as it gets: sends any message or any bytes, and keeps everything that comes back.
 *
 * Knows nothing of the protocol, so that a test can break each of its rules.
 */
import { type Client, type ClientDuplexStream, type StatusObject, status } from "@grpc/grpc-js";
import { type Entry, IngestRequest, IngestResponse, IngestServiceService, type OpenStream } from "@tailkeep/proto";

const { path } = IngestServiceService.ingest;
const WAIT_MS_MAX = 15_000;

type Opened = Extract<NonNullable<IngestResponse["message"]>, { $case: "opened" }>["value"];
type Rejection = Extract<NonNullable<IngestResponse["message"]>, { $case: "ack" }>["value"]["rejected"][number];

/** How a call ended. */
export interface Ending {
  /** `OK`, `ABORTED`, ... */
  readonly status: string;
  /** The trailing `tailkeep-code`. */
  readonly code: string | undefined;
  readonly message: string;
  readonly expectedSeq: string | undefined;
  readonly retryAfterMs: string | undefined;
}

export function endingOf(object: Pick<StatusObject, "code" | "details" | "metadata">): Ending {
  const trailer = (name: string) => object.metadata.get(name)[0]?.toString();
  return {
    status: status[object.code],
    code: trailer("tailkeep-code"),
    message: object.details,
    expectedSeq: trailer("tailkeep-expected-seq"),
    retryAfterMs: trailer("tailkeep-retry-after-ms"),
  };
}

export class IngestProbe {
  readonly acks: number[] = [];
  readonly rejected: Rejection[] = [];
  readonly credits: number[] = [];
  /** Bytes of batches that were sent. */
  sentBytes = 0;
  opened: Opened | undefined;
  ending: Ending | undefined;
  readonly #call: ClientDuplexStream<Buffer, IngestResponse>;
  #changed: (() => void)[] = [];

  constructor(client: Client) {
    this.#call = client.makeBidiStreamRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => IngestResponse.decode(bytes),
    );
    this.#call.on("data", (response: IngestResponse) => this.#receive(response));
    this.#call.on("error", () => undefined);
    this.#call.on("status", (object: StatusObject) => {
      this.ending = endingOf(object);
      this.#change();
    });
  }

  /** False: the connection takes no more for now. */
  send(bytes: Uint8Array): boolean {
    return this.#call.write(Buffer.from(bytes));
  }

  open(open: Partial<OpenStream>): void {
    const value: OpenStream = {
      sessionId: "",
      streamId: "",
      writerId: "",
      ackedSeq: 0n,
      takeover: false,
      labels: {},
      ...open,
    };
    this.send(IngestRequest.encode({ message: { $case: "open", value } }).finish());
  }

  batch(firstSeq: number, entries: Entry[]): boolean {
    const request = IngestRequest.encode({
      message: { $case: "batch", value: { firstSeq: BigInt(firstSeq), entries } },
    }).finish();
    return this.batchBytes(request);
  }

  /** An encoded IngestRequest with a batch. */
  batchBytes(request: Uint8Array): boolean {
    // The request has one field more than the batch: a tag and a length.
    this.sentBytes += request.length - 1 - lengthWidth(request.length);
    return this.send(request);
  }

  halfClose(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** Stops reading what the server says. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  get creditBytes(): number {
    return Math.max(Number(this.opened?.creditBytes ?? 0n), ...this.credits);
  }

  get ackedSeq(): number {
    return Math.max(Number(this.opened?.committedSeq ?? 0n), ...this.acks);
  }

  async untilOpened(): Promise<Opened> {
    await this.until(() => this.opened !== undefined, "the stream to be opened");
    return this.opened as Opened;
  }

  async untilAcked(seq: number): Promise<void> {
    await this.until(() => this.ackedSeq >= seq, `an ack of ${seq}`);
  }

  async untilEnded(): Promise<Ending> {
    await this.until(() => this.ending !== undefined, "the end of the call", true);
    return this.ending as Ending;
  }

  async untilDrained(): Promise<void> {
    await new Promise<void>((resolve) => this.#call.once("drain", resolve));
  }

  async until(holds: () => boolean, what: string, mayEnd = false): Promise<void> {
    const giveUpAt = performance.now() + WAIT_MS_MAX;
    while (!holds()) {
      if (this.ending !== undefined && !mayEnd) {
        throw new Error(`waited for ${what}, but the call ended: ${JSON.stringify(this.ending)}`);
      }
      if (performance.now() > giveUpAt) throw new Error(`waited for ${what}; acked is ${this.ackedSeq}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#changed.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #receive({ message }: IngestResponse): void {
    if (message?.$case === "opened") this.opened = message.value;
    else if (message?.$case === "credit") this.credits.push(Number(message.value.creditBytes));
    else if (message?.$case === "ack") {
      this.acks.push(Number(message.value.committedSeq));
      this.rejected.push(...message.value.rejected);
    }
    this.#change();
  }

  #change(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}

/** Width of the length in front of a batch, from the length of the whole request. */
function lengthWidth(total: number): number {
  for (let width = 1; width < 5; width++) if (total - 1 - width < 2 ** (7 * width)) return width;
  return 5;
}
