/** What the writing thread asks back for: the records whose rows the database refused. */

/** A record of a run, by the run's place in the call. */
export interface WantedRecord {
  run: number;
  seq: number;
}

/** Records as they were sent, by `wantedKey`; null where one is too large to be kept. */
export type SentRecords = ReadonlyMap<string, Uint8Array | null>;

export function wantedKey({ run, seq }: WantedRecord): string {
  return `${run}:${seq}`;
}
