/**
 * What everybody said and heard, kept outside of all that can be killed. It listens to the network, and says at once where
 * a message breaks the protocol.
 */
import { IngestRequest, type IngestResponse } from "@tailkeep/proto";
import type { Database } from "./database.js";
import type { NetworkCall, Tap } from "./network.js";
import type { Sent } from "./records.js";

export class StreamJournal {
  readonly name: string;
  readonly sent = new Map<number, Sent>();
  /** Numbers that a call has carried, as records and as gaps. */
  readonly carriedRecords = new Set<number>();
  readonly carriedGaps = new Set<number>();
  ackedSeq = 0;
  /** Everything up to here was said to outlive the process that has died since. */
  safeSeq = 0;
  /** Its writer was shut out by another one, whose numbers begin above this. */
  stolenAfterSeq: number | undefined;
  readonly stolen = new Map<number, Sent>();

  constructor(name: string) {
    this.name = name;
  }
}

interface CallJournal {
  readonly stream: StreamJournal;
  /** Undefined until the server has said that it is open. */
  creditBytes: number | undefined;
  sentBytes: number;
  ackedSeq: number;
  lastSentSeq: number;
  /** What its server has last said to be durable. */
  saidSeq: number;
}

export type Report = (invariant: string, detail: string) => void;

export class Journal implements Tap {
  readonly streams = new Map<string, StreamJournal>();
  readonly #calls = new Map<NetworkCall, CallJournal>();
  /** By process and stream: the highest number that it heard to be durable. */
  readonly #heard = new Map<string, number>();
  readonly #database: Database;
  readonly #report: Report;
  messages = 0;

  constructor(database: Database, report: Report) {
    this.#database = database;
    this.#report = report;
  }

  stream(sessionId: string, streamId: string): StreamJournal {
    const name = `${sessionId}/${streamId}`;
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = new StreamJournal(name);
      this.streams.set(name, stream);
    }
    return stream;
  }

  sent(call: NetworkCall, message: Buffer): void {
    this.messages++;
    const { message: part } = IngestRequest.decode(message);
    if (part?.$case === "open") {
      const stream = this.stream(part.value.sessionId, part.value.streamId);
      const numbers = { creditBytes: undefined, sentBytes: 0, ackedSeq: 0, lastSentSeq: 0, saidSeq: 0 };
      this.#calls.set(call, { stream, ...numbers });
      return;
    }
    const journal = this.#calls.get(call);
    if (journal === undefined || part === undefined) return;
    const { stream } = journal;
    if (journal.creditBytes === undefined) this.#report("PROTOCOL", `${stream.name}: a batch before the call was open`);
    let seq = Number(part.value.firstSeq);
    if (journal.lastSentSeq > 0 && seq !== journal.lastSentSeq + 1)
      this.#report("I4", `${stream.name}: ${seq} was sent after ${journal.lastSentSeq}`);
    for (const { kind } of part.value.entries) {
      if (kind?.$case === "gap") {
        const last = seq + Number(kind.value.count) - 1;
        for (; seq <= last; seq++) stream.carriedGaps.add(seq);
      } else stream.carriedRecords.add(seq++);
    }
    const lastSeq = seq - 1;
    const heardSeq = this.#heard.get(heardKey(call, stream)) ?? 0;
    if (lastSeq <= heardSeq)
      this.#report("PROTOCOL", `${stream.name}: up to ${lastSeq} was sent, which was acked before`);
    const inFlight = journal.lastSentSeq > journal.ackedSeq;
    journal.sentBytes += message.length - envelopeBytes(message);
    if (inFlight && journal.sentBytes > (journal.creditBytes ?? 0))
      this.#report("I7", `${stream.name}: ${journal.sentBytes} bytes were sent on a credit of ${journal.creditBytes}`);
    journal.lastSentSeq = lastSeq;
  }

  answered(call: NetworkCall, { message }: IngestResponse): void {
    const journal = this.#calls.get(call);
    if (journal === undefined || (message?.$case !== "ack" && message?.$case !== "opened")) return;
    const { name } = journal.stream;
    const seq = Number(message.value.committedSeq);
    const committed = this.#database.committedEver.get(name) ?? 0;
    if (seq > committed) this.#report("I1", `${name}: ${seq} was acked, only ${committed} are committed`);
    if (seq < journal.saidSeq) this.#report("I6", `${name}: an ack went from ${journal.saidSeq} back to ${seq}`);
    journal.saidSeq = seq;
  }

  heard(call: NetworkCall, { message }: IngestResponse): void {
    const journal = this.#calls.get(call);
    if (journal === undefined) return;
    if (message?.$case === "credit") {
      const credit = Number(message.value.creditBytes);
      if (credit < (journal.creditBytes ?? 0)) this.#report("I6", `${journal.stream.name}: credit went back`);
      journal.creditBytes = credit;
      return;
    }
    if (message?.$case === "opened") journal.creditBytes = Number(message.value.creditBytes);
    if (message === undefined) return;
    const seq = Number(message.value.committedSeq);
    const { stream } = journal;
    journal.ackedSeq = Math.max(journal.ackedSeq, seq);
    stream.ackedSeq = Math.max(stream.ackedSeq, seq);
    // What a stream that was taken over says is about another writer's numbers too.
    const key = heardKey(call, stream);
    this.#heard.set(key, Math.max(this.#heard.get(key) ?? 0, seq));
  }
}

function heardKey(call: NetworkCall, stream: StreamJournal): string {
  return `${call.clientProcess.name} ${stream.name}`;
}

/** Of IngestRequest.batch: the tag and the length. */
function envelopeBytes(message: Buffer): number {
  let at = 1;
  while ((message[at++] ?? 0) >= 0x80);
  return at;
}
