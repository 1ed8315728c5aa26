import fc from "fast-check";
import { expect, test } from "vitest";
import { STATE_MARKER_WRITERS_MAX } from "../../../client/src/limits.js";
import { type Marker, marked, presenceOf, putMarker, takeMarker } from "../../../client/src/state-store/marker.js";

const writes = fc.array(
  fc.record({
    writer: fc.integer({ min: 0, max: STATE_MARKER_WRITERS_MAX * 2 }).map((index) => `writer${index}`),
    isCount: fc.boolean(),
    // By something that does not know the member.
    isForeign: fc.integer({ max: 99, min: 0 }).map((chance) => chance === 0),
  }),
  { minLength: 1, maxLength: 300 },
);

test("whether an increment is in is never told wrongly, and told as long as nothing was forgotten", () => {
  fc.assert(
    fc.property(writes, fc.nat(), fc.boolean(), (history, nat, didHappen) => {
      const attemptedVersion = nat % history.length;
      let marker: Marker | undefined;
      const seqs = new Map<string, number>();
      let othersSince = 0;
      let foreignSince = 0;
      for (const [version, { writer, isCount, isForeign }] of history.entries()) {
        if (version === attemptedVersion && didHappen) marker = marked(marker, "ours", 7, version + 1);
        else if (isForeign) marker = undefined;
        else if (isCount) {
          const seq = (seqs.get(writer) ?? 0) + 1;
          seqs.set(writer, seq);
          marker = marked(marker, writer, seq, version + 1);
        }
        if (version > attemptedVersion) {
          othersSince += isCount ? 1 : 0;
          foreignSince += isForeign ? 1 : 0;
        }
      }
      expect(marker?.writers.size ?? 0).toBeLessThanOrEqual(STATE_MARKER_WRITERS_MAX);
      const presence = presenceOf(marker, history.length, "ours", 7, attemptedVersion);
      expect(presence).not.toBe(didHappen ? "absent" : "present");
      if (foreignSince === 0 && othersSince < STATE_MARKER_WRITERS_MAX && didHappen) expect(presence).toBe("present");
    }),
    { numRuns: 1_000 },
  );
});

test("what was not sent, or at a version that is still there, is not in", () => {
  expect(presenceOf(undefined, 5, "w", 1, undefined)).toBe("absent");
  expect(presenceOf(undefined, 5, "w", 1, 5)).toBe("absent");
  // The next version is there, and has no trace: somebody else made it.
  expect(presenceOf(undefined, 6, "w", 1, 5)).toBe("absent");
  expect(presenceOf(undefined, 7, "w", 1, 5)).toBe("unknown");
  expect(presenceOf(marked(undefined, "v", 1, 6), 7, "w", 1, 5)).toBe("absent");
  expect(presenceOf(marked(undefined, "v", 1, 7), 7, "w", 1, 5)).toBe("unknown");
});

test("an earlier increment of a writer is in with a later one", () => {
  const marker = marked(marked(undefined, "w", 3, 1), "w", 9, 2);
  expect(presenceOf(marker, 2, "w", 3, 0)).toBe("present");
  expect(presenceOf(marker, 2, "w", 10, 1)).toBe("absent");
});

test("the member comes and goes with the value, whatever else is in it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const marker = marked(undefined, "w", 1, 4);
      const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
      const taken = takeMarker(JSON.parse(JSON.stringify(putMarker(text, marker))));
      expect(JSON.parse(taken.text)).toEqual(JSON.parse(text));
      expect(taken.marker).toEqual(isObject ? marker : undefined);
    }),
  );
  for (const odd of [null, 1, {}, { since: 1 }, { since: 1, writers: { w: [1] } }, { since: "1", writers: {} }]) {
    expect(takeMarker({ n: 1, $tailkeep: odd })).toEqual({ text: '{"n":1}', marker: undefined });
  }
});
