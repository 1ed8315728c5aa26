// An item that was appended comes back equal in JSON value, whatever it was; and its fields fill the columns.
import { RecordBatch } from "@tailkeep/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OpenBatch } from "../../../client/src/encode/open-batch.js";
import { ENTRY_TO_RECORD, entryOf } from "../../../client/src/items/entry-record.js";
import { itemOf } from "../../../client/src/items/from-record.js";
import { TO_RECORD } from "../../../client/src/items/to-record.js";
import { trainingRecord } from "../../../client/src/records/stored.js";
import {
  type HistoryRecord,
  RECORD_TYPE_NAMES,
  type RecordTypeName,
  type TrainingRecord,
} from "../../../client/src/records/training-record.js";

const NOW_US = 1_700_000_000_000_000;

/** Over the wire and back, as the server would answer. */
function stored(record: TrainingRecord): HistoryRecord {
  const open = new OpenBatch();
  open.append(record);
  const [entry] = RecordBatch.decode(open.seal(1).recordBatch()).entries;
  if (entry?.kind?.$case !== "record") throw new Error("no record");
  const read = trainingRecord(entry.kind.value);
  if (read === undefined) throw new Error("no kind");
  return {
    ...read,
    gameId: read.gameId ?? "unknown",
    eventTimeUs: read.eventTimeUs ?? 0,
    sessionId: "s",
    streamId: "t",
    seq: 1,
  } as HistoryRecord;
}

function roundTrip(type: RecordTypeName, item: unknown, gameId?: string): unknown {
  return itemOf(stored(TO_RECORD[type](item, gameId, NOW_US)), { bareScores: false, namesCurrent: false, gameId });
}

/** As JSON says it: without what is undefined, with names for what is not finite. */
function asJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_, each: unknown) =>
    typeof each === "number" && !Number.isFinite(each) ? String(each) : each,
  );
  return text === undefined ? undefined : JSON.parse(text);
}

/** Field names that mean something to some type, in both spellings, and some that mean nothing. */
const names = fc.constantFrom(
  ..."score winRate win_rate learningEfficiency status durationSeconds actionsTaken actions_taken win actionType".split(
    " ",
  ),
  ..."actionSequence effectiveness context scoreType coordinateX coordinate_y coordinateY success frameHash".split(" "),
  ..."frameAnalysis frame_analysis stagnationDetected metadata data loss epsilon".split(" "),
);
const scalars = fc.oneof(
  fc.double({ noDefaultInfinity: true, noNaN: true }).filter((n) => !Object.is(n, -0)),
  fc.integer({ min: -9, max: 9 }),
  fc.boolean(),
  fc.string({ maxLength: 9 }),
  fc.constant(null),
);
const values = fc.oneof(
  { weight: 5, arbitrary: scalars },
  fc.array(scalars, { maxLength: 3 }),
  fc.dictionary(names, scalars, { maxKeys: 3 }).map((object) => ({ ...object })),
);
const objects = fc.dictionary(names, values, { maxKeys: 6 }).map((object) => ({ ...object }));
const jsonTypes = RECORD_TYPE_NAMES.filter((type) => type !== "score_history");

describe.each(jsonTypes)("%s", (type) => {
  test("any object comes back as it was", () => {
    fc.assert(
      fc.property(objects, (item) => {
        expect(asJson(roundTrip(type, item))).toEqual(asJson(item));
      }),
      { numRuns: 1_000 },
    );
  });

  test("so does what is no object", () => {
    fc.assert(
      fc.property(fc.oneof(scalars, fc.array(scalars)), (item) => {
        expect(asJson(roundTrip(type, item))).toEqual(asJson(item));
      }),
    );
  });

  test("numbers that JSON cannot say come back from their columns", () => {
    const number = { performance_history: "score", session_history: "score", action_tracking: "effectiveness" };
    const name = (number as Record<string, string>)[type];
    if (name === undefined) return;
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(roundTrip(type, { [name]: value, loss: 1 })).toEqual({ [name]: value, loss: 1 });
    }
  });
});

test("the columns of an object are filled by field name, in both spellings, and it is kept whole", () => {
  expect(TO_RECORD.performance_history({ score: 1, win_rate: 0.5, loss: 2 }, "g", NOW_US)).toEqual({
    type: "performance_history",
    gameId: "g",
    eventTimeUs: NOW_US,
    score: 1,
    winRate: 0.5,
    learningEfficiency: undefined,
    metadata: { score: 1, win_rate: 0.5, loss: 2 },
  });
  expect(TO_RECORD.performance_history(7, undefined, NOW_US)).toMatchObject({ metadata: { data: 7 } });
  expect(TO_RECORD.session_history({ score: "high" }, "g", NOW_US)).toMatchObject({
    score: undefined,
    metadata: { score: "high" },
  });
  expect(TO_RECORD.score_history(7, "g", NOW_US)).toMatchObject({ score: 7 });
});

test("a record written as a record stays one: its own metadata is the metadata", () => {
  const record = TO_RECORD.performance_history({ score: 1, metadata: { step: 3 } }, "g", NOW_US);
  expect(record).toMatchObject({ score: 1, metadata: { step: 3 } });
  expect(roundTrip("performance_history", { score: 1, metadata: { step: 3 } })).toEqual({
    score: 1,
    metadata: { step: 3 },
  });
});

test("columns alone cost no second copy in the types that never had metadata", () => {
  const record = TO_RECORD.coordinate_tracking({ coordinateX: 1, coordinateY: 2, success: true }, "g", NOW_US);
  expect(record).toMatchObject({ coordinateX: 1, coordinateY: 2, success: true, context: undefined });
});

test.each([
  [1_700_000_000, 1_700_000_000_000_000],
  [1_700_000_000_123, 1_700_000_000_123_000],
  [1_700_000_000.5, 1_700_000_000_500_000],
  ["2023-11-14T22:13:20Z", 1_700_000_000_000_000],
  [new Date(1_700_000_000_000), 1_700_000_000_000_000],
  ["not a time", NOW_US],
  [{}, NOW_US],
])("the timestamp %s is the event's time", (timestamp, expected) => {
  expect(TO_RECORD.session_history({ timestamp }, "g", NOW_US).eventTimeUs).toBe(expected);
});

describe("entries of dictionaries", () => {
  const keyed = {
    performance_history: "game-1",
    session_history: "game-1",
    action_tracking: "ACTION6",
    score_history: "best",
    coordinate_tracking: "3,-4",
    frame_tracking: "a1b2",
  };

  test.each(Object.entries(keyed) as [RecordTypeName, string][])("%s finds its key and value again", (type, key) => {
    const value = type === "score_history" ? 5 : { success: true, tries: [1, 2], stagnationDetected: false };
    expect(entryOf(stored(ENTRY_TO_RECORD[type](key, value, "g", NOW_US)))).toEqual({ key, value });
  });

  test("a coordinate key is two integers, also as the earlier system wrote tuples", () => {
    expect(ENTRY_TO_RECORD.coordinate_tracking("(3, 4)", {}, "g", NOW_US)).toMatchObject({
      coordinateX: 3,
      coordinateY: 4,
    });
    for (const key of ["", "3", "3,4,5", "a,b", "3.5,1", "99999999999,1"]) {
      expect(() => ENTRY_TO_RECORD.coordinate_tracking(key, {}, "g", NOW_US)).toThrow(/"x,y"/);
    }
  });

  test("values fill columns by field name", () => {
    expect(ENTRY_TO_RECORD.frame_tracking("h", { stagnation_detected: true }, "g", NOW_US)).toMatchObject({
      frameHash: "h",
      stagnationDetected: true,
      frameAnalysis: { stagnation_detected: true },
    });
  });
});
