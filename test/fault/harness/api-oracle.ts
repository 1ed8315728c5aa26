/** The same comparison through the server's own API: the ledger of every stream, and all records of one session. */
import { RECORD_TYPE_NAMES, type TailkeepClient } from "@tailkeep/client";
import { hashOfRecord } from "./content.js";
import { bySession, type StreamJournal } from "./journal.js";
import { Report, type Violation } from "./oracle.js";

const PAGE_SIZE = 1_000;

export async function judgeByApi(
  client: TailkeepClient,
  journals: readonly StreamJournal[],
  readBackSessionId: string | undefined,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [sessionId, own] of bySession(journals)) {
    await judgeLedger(client, sessionId, own, violations);
    if (sessionId === readBackSessionId) await judgeRecords(client, sessionId, own, violations);
  }
  return violations;
}

async function judgeLedger(
  client: TailkeepClient,
  sessionId: string,
  journals: readonly StreamJournal[],
  violations: Violation[],
): Promise<void> {
  const report = new Report(sessionId, violations);
  const expected = { stored: 0, rejected: 0, gapped: 0 };
  for (const journal of journals) {
    for (const [at, sent] of journal.sent.slice(1).entries()) {
      if (sent === undefined || journal.forgottenSeqs.has(at + 1)) expected.gapped++;
      else if (sent.isBad) expected.rejected++;
      else expected.stored++;
    }
  }
  const found = { stored: 0, rejected: 0, gapped: 0 };
  const lines = new Map<string, number>();
  for await (const { streamId, committedSeq, counts } of client.admin.getLedger({ sessionId })) {
    lines.set(streamId, committedSeq);
    for (const name of ["stored", "rejected", "gapped"] as const) found[name] += counts[name];
    const sum = counts.stored + counts.rejected + counts.gapped;
    if (sum !== committedSeq)
      report.add("LEDGER", `${streamId}: the API's counts are ${sum}, its watermark ${committedSeq}`);
  }
  for (const { streamId, sentSeq } of journals) {
    const committedSeq = lines.get(streamId);
    if (committedSeq !== sentSeq)
      report.add("API", `${streamId}: the ledger says ${committedSeq}, ${sentSeq} were sent`);
  }
  for (const name of ["stored", "rejected", "gapped"] as const) {
    if (found[name] !== expected[name]) report.add("API", `ledger: ${name} is ${found[name]}, not ${expected[name]}`);
  }
  const { stored } = await client.history.getStatistics({ sessionId });
  const sum = RECORD_TYPE_NAMES.reduce((total, name) => total + stored[name], 0);
  if (sum !== expected.stored) report.add("API", `statistics count ${sum} records, not ${expected.stored}`);
}

async function judgeRecords(
  client: TailkeepClient,
  sessionId: string,
  journals: readonly StreamJournal[],
  violations: Violation[],
): Promise<void> {
  const report = new Report(sessionId, violations);
  const byStream = new Map(journals.map((journal) => [journal.streamId, journal]));
  const seen = new Map(journals.map((journal) => [journal.streamId, new Set<number>()]));
  let previousUs = Number.NEGATIVE_INFINITY;
  for await (const record of client.history.listRecords({ sessionId, order: "oldest", pageSize: PAGE_SIZE })) {
    const { streamId, seq, eventTimeUs } = record;
    if (eventTimeUs < previousUs) report.add("API", `${streamId} ${seq}: listed out of order of time`);
    previousUs = eventTimeUs;
    const sent = byStream.get(streamId)?.sent[seq];
    if (sent === undefined || sent.isBad) {
      report.add("API", `${streamId} ${seq}: listed, but not stored by anybody`);
      continue;
    }
    const numbers = seen.get(streamId) as Set<number>;
    if (numbers.has(seq)) report.add("API", `${streamId} ${seq}: listed twice`);
    numbers.add(seq);
    if (hashOfRecord(record, sent.isTimeless ? null : eventTimeUs) !== sent.hash) {
      report.add("API", `${streamId} ${seq}: reads as ${JSON.stringify(record).slice(0, 300)}`);
    }
  }
  for (const { streamId, sent, forgottenSeqs } of journals) {
    const expected = sent.filter((each, seq) => each !== undefined && !each.isBad && !forgottenSeqs.has(seq)).length;
    const listed = seen.get(streamId)?.size;
    if (listed !== expected) report.add("API", `${streamId}: ${listed} records are listed, not ${expected}`);
  }
}
