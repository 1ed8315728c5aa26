/** Records that the server must take, with names that are nobody's friend; what is stored comes back equal. */
import { WriteRecordsRequest } from "@tailkeep/proto";
import { idProblem } from "@tailkeep/server/dist/record/text.js";
import fc from "fast-check";
import type { Stubs } from "../../support/grpc/stubs.js";
import { asStored, validRecord } from "../../support/records/arbitrary.js";
import { recordEntry } from "../../support/records/batches.js";
import { HOSTILE_TEXTS } from "./hostile-values.js";

/** Hostile, and good ids all the same: no control characters, no outer white space, at most 128 characters. */
const NAMES = HOSTILE_TEXTS.filter((name) => idProblem(name, 100) === undefined);

/** Everything has a time, so that what comes back is known. */
const record = validRecord.filter(({ eventTimeUs }) => eventTimeUs !== undefined);

export class Faithful {
  readonly #batches: readonly (typeof record extends fc.Arbitrary<infer R> ? R : never)[][];
  readonly #sent = new Map<string, (typeof record extends fc.Arbitrary<infer R> ? R : never)[]>();
  #next = 0;

  constructor(seed: number) {
    this.#batches = fc.sample(fc.array(record, { minLength: 1, maxLength: 4 }), { seed, numRuns: 400 });
  }

  get written(): number {
    return this.#sent.size;
  }

  /** The next batch, each in a session of its own; must be accepted. */
  next(): Buffer {
    const at = this.#next++;
    const sessionId = `${at} ${NAMES[at % NAMES.length]}`;
    const records = this.#batches[at % this.#batches.length] ?? [];
    this.#sent.set(sessionId, records);
    const batch = { firstSeq: 1n, entries: records.map(recordEntry) };
    const name = NAMES[(at * 7) % NAMES.length] as string;
    return Buffer.from(WriteRecordsRequest.encode({ sessionId, streamId: name, writerId: name, batch }).finish());
  }

  /** What came back otherwise than it was sent. */
  async differences(stubs: Stubs): Promise<string[]> {
    const found: string[] = [];
    for (const [sessionId, records] of this.#sent) {
      const { records: stored } = await stubs.call("listRecords", { sessionId, pageSize: 1_000 });
      const bySeq = [...stored].sort((a, b) => Number(a.seq - b.seq)).map((each) => each.record);
      const expected = records.map((each) => asStored(each, 0n));
      if (text(bySeq) !== text(expected)) {
        found.push(`${JSON.stringify(sessionId)}: stored ${text(bySeq)} instead of ${text(expected)}`);
      }
    }
    return found;
  }
}

/** The same text for the same values, NaN and the infinities among them. */
function text(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint") return `${each}n`;
    if (typeof each === "number" && !Number.isFinite(each)) return String(each);
    if (each instanceof Object && !Array.isArray(each)) {
      return Object.fromEntries(
        Object.entries(each)
          .filter(([, part]) => part !== undefined)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    }
    return each;
  });
}
