/** State documents: named, versioned JSON. */

export interface StateRow {
  name: string;
  valueJson: string;
  version: number;
  updatedAtUs: number;
}

export type PutOutcome =
  | { kind: "written"; version: number; updatedAtUs: number }
  | { kind: "mismatch"; version: number };

export type DeleteOutcome = { kind: "deleted" } | { kind: "missing" } | { kind: "mismatch"; version: number };

export interface StateStore {
  /** @param expectedVersion 0: must not exist; null: whatever it is */
  put(namespace: string, name: string, valueJson: string, expectedVersion: number | null): Promise<PutOutcome>;
  delete(namespace: string, name: string, expectedVersion: number | null): Promise<DeleteOutcome>;
}
