/** Changes of the central configuration: as they are asked for, and as they are remembered. */
import type { ActionLimits, MemoryLimits, SettingName } from "../limits-feed/central-config.js";

/** What to change; what is absent stays. */
export interface ConfigUpdate {
  /** Items in memory, each 1 to 100,000. */
  readonly memoryLimits?: { readonly [Name in keyof MemoryLimits]?: number | undefined } | undefined;
  /** Actions, each 1 to 10,000,000; scalingBase at most scalingMax. */
  readonly actionLimits?: { readonly [Name in keyof ActionLimits]?: number | undefined } | undefined;
  /** Settings that go back to what the server is configured with. @default none */
  readonly reset?: readonly SettingName[] | undefined;
  /** Version that the configuration must have now; VersionMismatchError otherwise. @default whatever it is */
  readonly expectedVersion?: number | undefined;
  /** Who changes it, at most 128 characters. @default nobody */
  readonly author?: string | undefined;
  /** Why, at most 1,024 characters. @default nothing */
  readonly comment?: string | undefined;
}

/** What the history says of a roll-back. */
export interface ConfigRollBack {
  /** Who does it, at most 128 characters. @default nobody */
  readonly author?: string | undefined;
  /** Why, at most 1,024 characters. @default "back to version N" */
  readonly comment?: string | undefined;
}

/** One change of the configuration. */
export interface ConfigChange {
  /** The version that it made. */
  readonly version: number;
  /** When: microseconds since 1970. */
  readonly createdAtUs: number;
  readonly author: string;
  readonly comment: string;
  /** What, by name of the setting; undefined: the database has no value, and the server's own holds. */
  readonly settings: Readonly<
    Record<string, { readonly before: number | undefined; readonly after: number | undefined }>
  >;
}
