/** Compares what was written with what the database has, once everything has come to rest. */
import { GapCause } from "@tailkeep/proto";
import { droppedTotal } from "../../client/dist/recorder/ledger.js";
import type { StreamState } from "./database.js";
import type { StreamJournal } from "./journal.js";
import { contentOfRow, type Sent } from "./records.js";
import type { Simulation } from "./simulation.js";

/** A record that was carried by a call may all the same be declared lost: its file was damaged, or the database forgot it. */
const LATER_GAPS: ReadonlySet<number> = new Set([GapCause.SPILL_CORRUPT, GapCause.STORE_REGRESSED, GapCause.INVALID]);

export function judge(simulation: Simulation): void {
  const { database, journal } = simulation;
  const states = new Map([...database.streams.values()].map((state) => [nameOf(state), state]));
  for (const stream of journal.streams.values()) {
    const forgotten = database.forgotten.get(stream.name) ?? new Set<number>();
    judgeStream(simulation, stream, states.get(stream.name), forgotten);
  }
  for (const name of states.keys()) {
    if (!journal.streams.has(name)) simulation.report("I5", `${name}: nobody wrote this stream`);
  }
  judgeLedgers(simulation, states);
  for (const { path, process } of simulation.servers) {
    if (path.budget.usedBytes !== 0)
      simulation.report("I7", `${process.name}: ${path.budget.usedBytes} bytes are charged for nothing`);
  }
}

function nameOf({ identity }: StreamState): string {
  return `${identity.sessionId}/${identity.streamId}`;
}

function judgeStream(
  simulation: Simulation,
  stream: StreamJournal,
  state: StreamState | undefined,
  forgotten: ReadonlySet<number>,
): void {
  const report = (invariant: string, detail: string): void => simulation.report(invariant, `${stream.name}: ${detail}`);
  const { sent, stolen, stolenAfterSeq = Number.POSITIVE_INFINITY } = stream;
  const sentAt = (seq: number): Sent | undefined => (seq > stolenAfterSeq ? stolen : sent).get(seq);
  const gapAt = new Map<number, number>();
  for (const { firstSeq, lastSeq, cause } of state?.gaps ?? [])
    for (let seq = firstSeq; seq <= lastSeq; seq++) gapAt.set(seq, cause);
  const committedSeq = state?.row.committedSeq ?? 0;

  // I1 and what was promised to outlive its process.
  const promisedSeq = Math.min(Math.max(stream.ackedSeq, stream.safeSeq), stolenAfterSeq);
  for (let seq = committedSeq + 1; seq <= promisedSeq; seq++) {
    if (!forgotten.has(seq)) report("I1", `${seq} was acked or synced, and is nowhere`);
  }
  for (let seq = 1; seq <= committedSeq; seq++) {
    const original = sentAt(seq);
    const row = state?.rows.get(seq);
    const cause = gapAt.get(seq);
    if (row !== undefined) {
      if (original === undefined) report("I5", `${seq} is stored, and was never handed over`);
      else if (original.isBad) report("I5", `${seq} must not be stored, and is`);
      else if (contentOfRow(row, original.isTimeless) !== original.content)
        report("I3", `${seq} is ${contentOfRow(row, original.isTimeless)} and was ${original.content}`);
    } else if (cause !== undefined) {
      const isCarried = stream.carriedRecords.has(seq) && !stream.carriedGaps.has(seq);
      if (cause === GapCause.STORE_REGRESSED) {
        if (!forgotten.has(seq)) report("I1", `${seq} is said to be forgotten, and the database never forgot it`);
      } else if (isCarried && !forgotten.has(seq)) {
        report(seq <= stream.ackedSeq ? "I1" : "I5", `${seq} was sent as a record, and is a gap of cause ${cause}`);
      } else if (stream.carriedRecords.has(seq) && !LATER_GAPS.has(cause)) {
        report("I5", `${seq} was sent as a record and as a gap of cause ${cause}`);
      }
    } else if (state?.deadLetters.has(seq) === true) {
      if (original !== undefined && !original.isBad)
        report("I5", `${seq} is a dead letter, and nothing is wrong with it`);
      const letter = state.deadLetters.get(seq);
      if (letter?.body === null || letter?.body === undefined)
        report("I3", `${seq} is a dead letter without what was sent`);
    } else report("I1", `${seq} is below the watermark, and nowhere`);
  }
  let previous = 0;
  for (const seq of state?.inserted ?? []) {
    if (seq <= previous) report("I4", `${seq} was inserted after ${previous}`);
    previous = seq;
  }
}

/** What a recorder says of its streams is what the database has of them. */
function judgeLedgers(simulation: Simulation, states: ReadonlyMap<string, StreamState>): void {
  for (const { recorder, process } of simulation.trainers) {
    for (const { sessionId, streamId, ledger } of recorder.lanes) {
      const name = `${sessionId}/${streamId}`;
      const stream = simulation.journal.streams.get(name);
      const isDisturbed = stream?.stolenAfterSeq !== undefined || simulation.database.forgotten.has(name);
      if (isDisturbed) continue;
      if (ledger.dropped.fenced > 0 && simulation.database.restoredAtMs === Number.NEGATIVE_INFINITY)
        simulation.report("I10", `${name}: ${process.name} was shut out, and nobody took the stream over`);
      const state = states.get(name);
      const gapped = state?.row.gapped ?? 0;
      const dropped = droppedTotal(ledger.dropped);
      const wrong =
        ledger.durable !== (state?.rows.size ?? 0) ||
        ledger.rejected !== (state?.deadLetters.size ?? 0) ||
        // What a recorder that closed could not place has no number in the database.
        (ledger.dropped.closed === 0 && dropped !== gapped);
      if (wrong) {
        const found = `${state?.rows.size ?? 0} rows, ${state?.deadLetters.size ?? 0} dead letters, ${gapped} in gaps`;
        simulation.report("LEDGER", `${process.name}, ${name}: ${JSON.stringify(ledger)}, but there are ${found}`);
      }
    }
  }
}
