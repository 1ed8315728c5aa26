// The rules that give exactly-once, as pure functions: what an open does to its stream, what a run may add to it.

import { runOf } from "@tailkeep/server/dist/commit/stream-queue.js";
import { firstAbove, storedPart } from "@tailkeep/server/dist/record/batch.js";
import { batchRows } from "@tailkeep/server/dist/record/stored-row.js";
import { tableAt } from "@tailkeep/server/dist/record/tables.js";
import { admit, advance, countsOf, type StreamRow } from "@tailkeep/server/dist/store/admit.js";
import { mergeLabels, openDecision } from "@tailkeep/server/dist/store/open.js";
import type { OpenRequest, Run } from "@tailkeep/server/dist/store/store.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { validGap, validRecord } from "../../support/records/arbitrary.js";
import { batchOf, gapEntry, recordEntry, score } from "../../support/records/batches.js";

const OWNER = { key: 7n, sessionId: "s", streamId: "t" };
const IDENTITY = { key: 7n, namespace: "default", sessionId: "s", streamId: "t", writerId: "w", epoch: 2 };

function row(change: Partial<StreamRow> = {}): StreamRow {
  return {
    writerId: "w",
    epoch: 2,
    committedSeq: 0,
    storedByTable: [0, 0, 0, 0, 0, 0],
    rejected: 0,
    gapped: 0,
    ...change,
  };
}

function request(change: Partial<OpenRequest> = {}): OpenRequest {
  return {
    namespace: "default",
    sessionId: "s",
    streamId: "t",
    writerId: "w",
    ackedSeq: 0,
    takeover: false,
    labels: {},
    mode: "open",
    ...change,
  };
}

const entries = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: validRecord.map(recordEntry) },
    { weight: 1, arbitrary: validGap.filter((gap) => gap.count < 10n).map((gap) => gapEntry(Number(gap.count))) },
    { weight: 1, arbitrary: fc.constant(recordEntry(score(1, 2 ** 53))) },
  ),
  { minLength: 1, maxLength: 8 },
);

function numbersOf(run: Run): number[] {
  const numbers = [...run.rows.flatMap((rows) => rows?.seqs ?? []), ...run.rejected.map((each) => each.seq)];
  for (const gap of run.gaps) for (let seq = gap.firstSeq; seq <= gap.lastSeq; seq++) numbers.push(seq);
  return numbers.sort((a, b) => a - b);
}

describe("a run", () => {
  test("is cut down to what is new, whatever it holds, and the counts then add up", () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 50 }), fc.nat({ max: 40 }), (list, firstSeq, overlap) => {
        const run = runOf(IDENTITY, [batchOf(firstSeq, list)]);
        const committedSeq = firstSeq - 1 + overlap;
        const before = row({ committedSeq, storedByTable: [committedSeq, 0, 0, 0, 0, 0] });
        const admission = admit(run, before);
        if (admission.kind !== "admitted") throw new Error(admission.kind);
        const expected = numbersOf(run).filter((seq) => seq > committedSeq);
        expect(numbersOf(admission.run)).toEqual(expected);
        for (const [index, rows] of admission.run.rows.entries()) {
          if (rows === undefined) continue;
          expect(rows.values).toHaveLength(rows.seqs.length * tableAt(index).columns.length);
          expect(rows.timesUs).toHaveLength(rows.seqs.length);
        }
        const next = advance(before, admission.run, []);
        expect(next.committedSeq).toBe(Math.max(committedSeq, run.lastSeq));
        const { stored, rejected, gapped } = countsOf(next);
        expect(stored + rejected + gapped).toBe(next.committedSeq);
      }),
    );
  });

  test.each([
    ["a missing stream", undefined, { kind: "fenced" }],
    ["another writer", row({ writerId: "other" }), { kind: "fenced", writerId: "other" }],
    ["a newer open of the same writer", row({ epoch: 3 }), { kind: "superseded" }],
    ["a watermark below its beginning", row({ committedSeq: 3 }), { kind: "hole", expectedSeq: 4 }],
  ])("meets %s", (_, found, outcome) => {
    expect(admit(runOf(IDENTITY, [batchOf(5, [recordEntry(score(1))])]), found)).toEqual(outcome);
  });

  test("rows that the store refuses count as rejected", () => {
    const run = runOf(IDENTITY, [batchOf(1, [recordEntry(score(1)), recordEntry(score(2)), gapEntry(3)])]);
    const refused = { seq: 2, type: 5 as const, reason: 4 as const, field: "score_history", message: "no", body: null };
    expect(countsOf(advance(row(), run, [refused]))).toEqual({ stored: 1, rejected: 1, gapped: 3 });
  });

  test("whose numbers do not add up is stopped", () => {
    const run = runOf(IDENTITY, [batchOf(1, [recordEntry(score(1))])]);
    expect(() => advance(row(), { ...run, lastSeq: 2 }, [])).toThrow(expect.objectContaining({ kind: "broken" }));
  });
});

describe("an open", () => {
  test("of a new stream begins at epoch 1", () => {
    expect(openDecision(request(), undefined)).toMatchObject({
      kind: "opened",
      row: { epoch: 1, committedSeq: 0 },
      regressed: null,
    });
  });

  test("by its writer resumes with the next epoch, a unary call joins the current one", () => {
    expect(openDecision(request({ ackedSeq: 5 }), row({ committedSeq: 9 }))).toMatchObject({
      row: { epoch: 3, committedSeq: 9 },
      regressed: null,
    });
    expect(openDecision(request({ mode: "attach" }), row({ committedSeq: 9 }))).toMatchObject({
      row: { epoch: 2, committedSeq: 9 },
    });
  });

  test("by another writer is refused, or takes over with a new epoch", () => {
    expect(openDecision(request({ writerId: "x" }), row())).toEqual({ kind: "fenced", writerId: "w" });
    expect(openDecision(request({ writerId: "x", mode: "attach" }), row())).toEqual({ kind: "fenced", writerId: "w" });
    expect(openDecision(request({ writerId: "x", takeover: true }), row({ committedSeq: 4 }))).toMatchObject({
      row: { writerId: "x", epoch: 3, committedSeq: 4 },
    });
  });

  test("that knows of more than the database makes the difference a gap", () => {
    expect(openDecision(request({ ackedSeq: 9 }), row({ committedSeq: 4, storedByTable: [4, 0, 0, 0, 0, 0] }))).toEqual(
      {
        kind: "opened",
        row: row({ epoch: 3, committedSeq: 9, storedByTable: [4, 0, 0, 0, 0, 0], gapped: 5 }),
        regressed: { firstSeq: 5, lastSeq: 9 },
      },
    );
  });
});

test("labels of an open are merged; a session that is full keeps what it has", () => {
  expect(JSON.parse(mergeLabels('{"a":"1","b":"2"}', { b: "3", c: "4" }))).toEqual({ a: "1", b: "3", c: "4" });
  const full = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`k${index}`, "v"]));
  expect(JSON.parse(mergeLabels(JSON.stringify(full), { k0: "new", more: "x" }))).toEqual({ ...full, k0: "new" });
});

describe("what of a batch is new and stored", () => {
  test("is the batch itself where all of it is", () => {
    const batch = batchOf(5, [recordEntry(score(1)), gapEntry(2)]);
    expect(storedPart(batch, 4, new Set())).toBe(batch);
    expect(storedPart(batch, 7, new Set())).toBeUndefined();
  });

  test("is without what was committed before, and without what the store refused", () => {
    fc.assert(
      fc.property(
        entries,
        fc.nat({ max: 12 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 12 })),
        (list, alreadyUpTo, refused) => {
          const batch = batchOf(1, list);
          const part = storedPart(batch, alreadyUpTo, new Set(refused));
          const numbers = (of: typeof batch | undefined) => (of === undefined ? [] : numbersOf(runOf(IDENTITY, [of])));
          const rows = new Set(batch.rows.flatMap((each) => each?.seqs ?? []));
          const dropped = (seq: number) => seq <= alreadyUpTo || (rows.has(seq) && refused.includes(seq));
          expect(numbers(part)).toEqual(numbers(batch).filter((seq) => !dropped(seq)));
          const all = batchRows(batch, OWNER, alreadyUpTo).filter(({ seq }) => !refused.includes(seq));
          expect(part === undefined ? [] : batchRows(part, OWNER, 0)).toEqual(all);
          expect(part?.rowCount ?? 0).toBe(all.length);
        },
      ),
    );
  });
});

test("firstAbove finds the first number above another", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 50 })), fc.nat({ max: 50 }), (numbers, seq) => {
      const seqs = numbers.sort((a, b) => a - b);
      expect(firstAbove(seqs, seq)).toBe(seqs.filter((each) => each <= seq).length);
    }),
  );
});
