/** Answers full of records are read as the ordinary reader reads them, whatever was read before. */
import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordReader } from "../../../client/src/transport/record-reader.js";

const texts = fc.array(
  fc.oneof(
    // Few letters and lengths, so that many fall on the same place.
    fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 }),
    fc.string({ unit: "binary", maxLength: 70 }),
    fc.constantFrom("é", "\u00e9\u0000", "Ã©", "\u{1f600}", "x".repeat(64), "x".repeat(65)),
  ),
  { maxLength: 50 },
);

test("every text is read as it was written", () => {
  fc.assert(
    fc.property(texts, (written) => {
      const writer = new BinaryWriter();
      for (const text of written) writer.string(text);
      const bytes = Buffer.from(writer.finish());
      const plain = new BinaryReader(bytes);
      const reader = new RecordReader(bytes);
      for (const _ of written) expect(reader.string()).toBe(plain.string());
      expect(reader.pos).toBe(reader.len);
    }),
    { numRuns: 500 },
  );
});

test("bytes that are no UTF-8 are read like the ordinary reader does", () => {
  const bytes = Buffer.from([3, 0xc3, 0x28, 0xff, 2, 0xe2, 0x82]);
  const [plain, reader] = [new BinaryReader(bytes), new RecordReader(bytes)];
  expect([reader.string(), reader.string()]).toEqual([plain.string(), plain.string()]);
});

test("a length beyond the end is an error", () => {
  expect(() => new RecordReader(Buffer.from([5, 0x61])).string()).toThrow(RangeError);
});
