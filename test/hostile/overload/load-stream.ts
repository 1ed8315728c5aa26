/** One writer of an overload: sends batches as its credit allows, and measures how long each takes to be acked. */
import { type Client, type ClientDuplexStream, type StatusObject, status } from "@grpc/grpc-js";
import { IngestRequest, IngestResponse, IngestServiceService } from "@tailkeep/proto";
import { recordEntry } from "../../support/records/batches.js";
import { bytesField, varintField } from "../fuzz/wire.js";

const asItIs = (bytes: Buffer) => bytes;

/** Entries of a batch, encoded once: all batches are the same but for their number. */
export function encodedEntries(records: number): Buffer {
  const metadataJson = JSON.stringify({ epsilon: 0.1, loss: 0.034, note: "x".repeat(100) });
  const entry = recordEntry({
    eventTimeUs: 1_700_000_000_000_000n,
    kind: {
      $case: "performanceHistory",
      value: { gameId: "ls20", score: 0.5, winRate: 0.25, learningEfficiency: 1, metadataJson },
    },
  });
  const message = { $case: "batch" as const, value: { firstSeq: 0n, entries: new Array(records).fill(entry) } };
  const request = Buffer.from(IngestRequest.encode({ message }).finish());
  // Without the tag and the length of the batch, and without a number, which 0 has none of.
  let at = 1;
  while ((request[at] as number) >= 0x80) at++;
  return request.subarray(at + 1);
}

export class LoadStream {
  readonly #call: ClientDuplexStream<Buffer, IngestResponse>;
  readonly #entries: Buffer;
  readonly #records: number;
  readonly #onAck: (stream: LoadStream) => void;
  /** When each batch that is not acked was sent, in order, and its last number. */
  readonly #sent: { lastSeq: number; atMs: number }[] = [];
  #nextSeq = 1;
  #sentBytes = 0;
  #creditBytes = 0;
  #ready = false;
  ackedRecords = 0;
  /** How the call ended, where it did. */
  ending: StatusObject | undefined;
  /** Of each acked batch: how long its ack took, and when it was sent. */
  readonly acks: { ms: number; sentAtMs: number }[] = [];

  constructor(
    client: Client,
    ids: { sessionId: string; streamId: string },
    entries: Buffer,
    records: number,
    onAck: (stream: LoadStream) => void = () => undefined,
  ) {
    this.#entries = entries;
    this.#records = records;
    this.#onAck = onAck;
    this.#call = client.makeBidiStreamRequest(IngestServiceService.ingest.path, asItIs, (bytes: Buffer) =>
      IngestResponse.decode(bytes),
    );
    this.#call.on("error", () => undefined);
    this.#call.on("status", (ending: StatusObject) => {
      this.ending = ending;
      this.#onAck(this);
    });
    this.#call.on("data", (response: IngestResponse) => this.#receive(response));
    const value = { ...ids, writerId: "w", ackedSeq: 0n, takeover: false, labels: {} };
    this.#call.write(Buffer.from(IngestRequest.encode({ message: { $case: "open", value } }).finish()));
  }

  get opened(): boolean {
    return this.#ready;
  }

  get inFlight(): number {
    return this.#sent.length;
  }

  get sentRecords(): number {
    return this.#nextSeq - 1;
  }

  get refused(): boolean {
    return this.ending !== undefined && this.ending.code !== status.OK;
  }

  /** False: credit does not allow it now. */
  send(): boolean {
    if (!this.#ready || this.ending !== undefined) return false;
    const first = varintField(1, BigInt(this.#nextSeq));
    // Before the batch is made: most of what an overload offers is not allowed.
    if (this.#sentBytes + first.length + this.#entries.length > this.#creditBytes) return false;
    const batch = Buffer.concat([first, this.#entries]);
    this.#sentBytes += batch.length;
    this.#nextSeq += this.#records;
    this.#sent.push({ lastSeq: this.#nextSeq - 1, atMs: performance.now() });
    this.#call.write(bytesField(2, batch));
    return true;
  }

  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  #receive({ message }: IngestResponse): void {
    if (message?.$case === "opened") {
      this.#ready = true;
      this.#creditBytes = Number(message.value.creditBytes);
    } else if (message?.$case === "credit") this.#creditBytes = Number(message.value.creditBytes);
    else if (message?.$case === "ack") {
      const acked = Number(message.value.committedSeq);
      const now = performance.now();
      this.ackedRecords = acked;
      for (let first = this.#sent[0]; first !== undefined && first.lastSeq <= acked; first = this.#sent[0]) {
        this.#sent.shift();
        this.acks.push({ ms: now - first.atMs, sentAtMs: first.atMs });
      }
    }
    this.#onAck(this);
  }
}
