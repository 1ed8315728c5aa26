/**
 * Compares what the trainers know with what the database has, once everything is acked. The invariants are numbered as
 * in the project's list of faults:
 *
 *   I1 what was acked is in a table, in the dead letters or in a declared gap
 *   I2 no number of a stream is stored twice
 *   I3 contents are equal
 *   I4 rows were inserted in the order in which they were sent
 *   I5 what was sent is what was stored, dead-lettered and declared lost, and nothing else is there
 *   I6 acks never go back
 *   I7 the server's resident memory is within what is stated
 *   I8 a trainer's appends and its event loop are not held up
 *   I9 whoever has nothing to do with a fault notices nothing of it
 *   I10 streams go on by themselves
 *   LEDGER the counts of a stream add up, and are those of its rows
 *   SERIES the charts say what the rows say
 *   REGRESSED the server found that its database had forgotten
 */
import { hashOfRow, TYPES } from "./content.js";
import type { StreamJournal } from "./journal.js";
import { type PlainRow, type PlainStore, type PlainStream, STORE_REGRESSED } from "./plain-store.js";

export interface Violation {
  readonly invariant:
    | "I1"
    | "I2"
    | "I3"
    | "I4"
    | "I5"
    | "I6"
    | "I7"
    | "I8"
    | "I9"
    | "I10"
    | "LEDGER"
    | "SERIES"
    | "REGRESSED"
    | "API"
    | "SERVER";
  /** What it is about, a stream mostly. */
  readonly subject: string;
  readonly detail: string;
}

/** One stream with everything wrong has as many violations as records; a few tell as much. */
const SHOWN_PER_INVARIANT_MAX = 5;

export interface JudgeOptions {
  /** The server's clock was set meanwhile: when a row was stored says nothing about its order. */
  readonly clockWasSet?: boolean;
}

export async function judge(
  journals: readonly StreamJournal[],
  store: PlainStore,
  options: JudgeOptions = {},
): Promise<Violation[]> {
  const violations: Violation[] = [];
  const found = new Map<string, PlainStream>();
  for (const sessionId of new Set(journals.map((journal) => journal.sessionId))) {
    for (const stream of await store.streams(sessionId)) found.set(`${stream.sessionId}/${stream.streamId}`, stream);
  }
  for (const journal of journals) {
    const stream = found.get(journal.name);
    found.delete(journal.name);
    const report = new Report(journal.name, violations);
    judgeJournal(journal, report);
    if (stream !== undefined) await judgeStream(journal, stream, store, report, options);
    else if (journal.ackedSeq > 0)
      report.add("I1", `${journal.ackedSeq} numbers were acked, and the stream is not there`);
  }
  for (const name of found.keys()) new Report(name, violations).add("I5", "nobody wrote this stream");
  return violations;
}

function judgeJournal(journal: StreamJournal, report: Report): void {
  const { ackRegression, failure, ackedSeq, sentSeq } = journal;
  if (ackRegression !== undefined)
    report.add("I6", `an ack went from ${ackRegression.from} back to ${ackRegression.to}`);
  if (failure !== undefined) report.add("I10", `the stream stopped: ${failure}`);
  else if (ackedSeq < sentSeq) report.add("I10", `only ${ackedSeq} of ${sentSeq} were acked at the end`);
  for (const seq of journal.rejectedSeqs) {
    if (journal.sent[seq]?.isBad !== true) report.add("I5", `${seq} was refused, and nothing is wrong with it`);
  }
}

async function judgeStream(
  journal: StreamJournal,
  stream: PlainStream,
  store: PlainStore,
  report: Report,
  { clockWasSet = false }: JudgeOptions,
): Promise<void> {
  const places = new Map<number, "row" | "dead letter" | "gap">();
  const place = (seq: number, where: "row" | "dead letter" | "gap") => {
    const before = places.get(seq);
    if (before !== undefined) report.add("I2", `${seq} is there as ${before} and as ${where}`);
    places.set(seq, where);
  };
  let stored = 0;
  const createdAtBySeq: { seq: number; createdAt: string }[] = [];
  for (const type of TYPES) {
    let previousSeq = 0;
    for (const row of await store.rows(stream.key, type)) {
      stored++;
      place(row.seq, "row");
      if (row.seq <= previousSeq) report.add("I4", `${type}: ${row.seq} was inserted after ${previousSeq}`);
      previousSeq = row.seq;
      createdAtBySeq.push({ seq: row.seq, createdAt: row.createdAt });
      judgeContent(journal, row, report);
    }
  }
  if (!clockWasSet) judgeTimes(createdAtBySeq, report);
  const deadLetterSeqs = await store.deadLetterSeqs(stream.key);
  for (const seq of deadLetterSeqs) {
    place(seq, "dead letter");
    if (journal.sent[seq]?.isBad !== true) report.add("I5", `${seq} is a dead letter, and nothing is wrong with it`);
  }
  let gapped = 0;
  for (const { firstSeq, lastSeq, cause } of await store.gaps(stream.key)) {
    gapped += lastSeq - firstSeq + 1;
    if (cause === STORE_REGRESSED && !(journal.forgottenSeqs.has(firstSeq) && journal.forgottenSeqs.has(lastSeq))) {
      report.add("REGRESSED", `the store had forgotten ${firstSeq} to ${lastSeq}`);
    }
    for (let seq = firstSeq; seq <= lastSeq; seq++) {
      place(seq, "gap");
      const isDeclared = (seq <= journal.sentSeq && journal.sent[seq] === undefined) || journal.forgottenSeqs.has(seq);
      if (isDeclared) continue;
      const invariant = seq <= journal.ackedSeq ? "I1" : "I5";
      report.add(invariant, `${seq} is stored as a gap, but was never declared lost`);
    }
  }
  for (let seq = 1; seq <= journal.sentSeq; seq++) {
    if (places.has(seq)) continue;
    report.add(
      seq <= journal.ackedSeq ? "I1" : "I5",
      `${seq} was ${seq <= journal.ackedSeq ? "acked" : "sent"} and is nowhere`,
    );
  }
  for (const seq of places.keys()) {
    if (seq > journal.sentSeq) report.add("I5", `${seq} is there, but only ${journal.sentSeq} were sent`);
  }
  judgeLedger(stream, { stored, rejected: deadLetterSeqs.length, gapped }, report);
}

function judgeContent(journal: StreamJournal, row: PlainRow, report: Report): void {
  const sent = journal.sent[row.seq];
  if (sent === undefined) {
    if (row.seq <= journal.sentSeq) report.add("I5", `${row.seq} is stored as a record, but was declared lost`);
    return;
  }
  if (sent.isBad) {
    report.add("I5", `${row.seq} breaks a rule and was stored all the same`);
    return;
  }
  if (sent.type !== row.type || hashOfRow(row.type, row.columns, sent.isTimeless ? null : row.timeUs) !== sent.hash) {
    report.add("I3", `${row.seq} (${sent.type}) has another content: ${JSON.stringify(row.columns).slice(0, 300)}`);
  }
}

/** Commits of one stream follow each other, so what has a higher number was not stored earlier. */
function judgeTimes(rows: { seq: number; createdAt: string }[], report: Report): void {
  rows.sort((a, b) => a.seq - b.seq);
  let previous = "";
  for (const { seq, createdAt } of rows) {
    if (createdAt < previous)
      report.add("I4", `${seq} was stored at ${createdAt}, before its predecessor at ${previous}`);
    previous = createdAt;
  }
}

function judgeLedger(
  stream: PlainStream,
  counted: { readonly stored: number; readonly rejected: number; readonly gapped: number },
  report: Report,
): void {
  const { committedSeq } = stream;
  for (const name of ["stored", "rejected", "gapped"] as const) {
    if (stream[name] !== counted[name])
      report.add("LEDGER", `${name} says ${stream[name]}, there are ${counted[name]}`);
  }
  const sum = stream.stored + stream.rejected + stream.gapped;
  if (sum !== committedSeq) report.add("LEDGER", `the counts are ${sum} together, the watermark is ${committedSeq}`);
}

/** Collects violations about one subject, the first few of each kind. */
export class Report {
  readonly #subject: string;
  readonly #violations: Violation[];
  readonly #shown = new Map<string, number>();

  constructor(subject: string, violations: Violation[]) {
    this.#subject = subject;
    this.#violations = violations;
  }

  add(invariant: Violation["invariant"], detail: string): void {
    const shown = (this.#shown.get(invariant) ?? 0) + 1;
    this.#shown.set(invariant, shown);
    if (shown <= SHOWN_PER_INVARIANT_MAX) this.#violations.push({ invariant, subject: this.#subject, detail });
  }
}
