/** The central configuration in the database: a row for each change; the newest holds. */

export interface ConfigRow {
  /** From 1 without holes. */
  version: number;
  createdAtUs: number;
  author: string;
  comment: string;
  /** What this change did, as JSON by name of the setting: `{"memoryLimits.scoreHistory":{"after":200}}`. */
  changesJson: string;
  /** Every value that is set after this change, as JSON by name of the setting. */
  overridesJson: string;
}

export type AppendOutcome = { kind: "written" } | { kind: "mismatch"; version: number };

export interface ConfigStore {
  /** Adds the change that follows the newest one; a mismatch where another one is the newest by now. */
  append(row: ConfigRow): Promise<AppendOutcome>;
}
