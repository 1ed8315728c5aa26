/** The central configuration as trainers and operators see it, and what holds while no server has been reached. */

/** How many items stay in memory: of each type for a session on the server, and in a list or dictionary of a trainer. */
export interface MemoryLimits {
  /** Records of performance_history. */
  readonly performanceHistory: number;
  /** Records of session_history. */
  readonly sessionHistory: number;
  /** Records of action_tracking. */
  readonly actionHistory: number;
  /** Records of score_history. */
  readonly scoreHistory: number;
  /** Records of coordinate_tracking. */
  readonly coordinateAttempts: number;
  /** Records of frame_tracking. */
  readonly frameHistory: number;
  /** Keys of a dictionary. */
  readonly dictionaries: number;
  /** Decisions that a governor remembers; for trainers to read. */
  readonly governorDecisions: number;
  /** Evolutions that an architect remembers; for trainers to read. */
  readonly architectEvolutions: number;
}

/** How many actions a trainer may take: for trainers to read, nobody enforces them. */
export interface ActionLimits {
  readonly perGame: number;
  readonly perSession: number;
  readonly perScorecard: number;
  readonly perEpisode: number;
  /** Where a limit that grows with progress begins. */
  readonly scalingBase: number;
  /** Where a limit that grows with progress ends. */
  readonly scalingMax: number;
}

/** A setting, named as in tailkeep.yaml. */
export type SettingName = `memoryLimits.${keyof MemoryLimits}` | `actionLimits.${keyof ActionLimits}`;

/** Where a value is from: the default, the configuration of the answering server, or a change kept in the database. */
export type SettingSource = "default" | "server" | "database";

/** The limits in force. */
export interface CentralConfig {
  /** 0 before the first change, one more with each. */
  readonly version: number;
  /** When it was changed last: microseconds since 1970; 0 before the first change. */
  readonly updatedAtUs: number;
  readonly memoryLimits: MemoryLimits;
  readonly actionLimits: ActionLimits;
  /** By name of each setting; settings that only a newer server knows are not among them. */
  readonly sources: Readonly<Record<SettingName, SettingSource>>;
}

const MEMORY_LIMITS: MemoryLimits = Object.freeze({
  performanceHistory: 100,
  sessionHistory: 100,
  actionHistory: 1_000,
  scoreHistory: 100,
  coordinateAttempts: 500,
  frameHistory: 50,
  dictionaries: 500,
  governorDecisions: 100,
  architectEvolutions: 100,
});

const ACTION_LIMITS: ActionLimits = Object.freeze({
  perGame: 2_000,
  perSession: 5_000,
  perScorecard: 8_000,
  perEpisode: 1_500,
  scalingBase: 800,
  scalingMax: 3_000,
});

/** Every setting. */
export const SETTING_NAMES: readonly SettingName[] = Object.freeze([
  ...Object.keys(MEMORY_LIMITS).map((name) => `memoryLimits.${name}` as SettingName),
  ...Object.keys(ACTION_LIMITS).map((name) => `actionLimits.${name}` as SettingName),
]);

/** What holds until a server has said otherwise: the earlier system's values. */
export const DEFAULT_CONFIG: CentralConfig = Object.freeze({
  version: 0,
  updatedAtUs: 0,
  memoryLimits: MEMORY_LIMITS,
  actionLimits: ACTION_LIMITS,
  sources: sourcesOf(() => "default"),
});

/** A source for each setting. */
export function sourcesOf(source: (name: SettingName) => SettingSource): CentralConfig["sources"] {
  const entries = SETTING_NAMES.map((name) => [name, source(name)]);
  return Object.freeze(Object.fromEntries(entries) as Record<SettingName, SettingSource>);
}
