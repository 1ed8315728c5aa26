/** The settings that the central configuration has: those of tailkeep.yaml that trainers follow too. */
import { type Config, configSchema } from "../config/schema.js";
import { ACTION_LIMIT_MAX, MEMORY_LIMIT_MAX } from "../limits.js";

export type Limits = Pick<Config, "memoryLimits" | "actionLimits">;
export type Group = keyof Limits;

/** By name of the setting: `memoryLimits.scoreHistory`. */
export type Values = Record<string, number>;

const DEFAULTS = configSchema.parse({});

const MAX: Record<Group, number> = { memoryLimits: MEMORY_LIMIT_MAX, actionLimits: ACTION_LIMIT_MAX };

export function valuesOf({ memoryLimits, actionLimits }: Limits): Values {
  const named = (group: Group, limits: Record<string, number>) =>
    Object.entries(limits).map(([name, value]): [string, number] => [`${group}.${name}`, value]);
  return Object.fromEntries([...named("memoryLimits", memoryLimits), ...named("actionLimits", actionLimits)]);
}

export function limitsOf(values: Readonly<Values>): Limits {
  const group = (name: Group) =>
    Object.fromEntries(Object.keys(DEFAULTS[name]).map((setting) => [setting, values[`${name}.${setting}`]]));
  return { memoryLimits: group("memoryLimits"), actionLimits: group("actionLimits") } as Limits;
}

export const DEFAULT_VALUES: Readonly<Values> = valuesOf(DEFAULTS);

export const SETTING_NAMES: readonly string[] = Object.keys(DEFAULT_VALUES);

/** Undefined if a setting may have this value, else what to do about it. */
export function valueProblem(name: string, value: unknown): string | undefined {
  const max = MAX[name.split(".")[0] as Group];
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max) return undefined;
  return `is ${String(value)}; use a whole number from 1 to ${max}`;
}

/** The settings that a row of the database sets; what this server does not know, or may not have, does not count. */
export function overridesOf(json: string): Values {
  const found = JSON.parse(json) as Record<string, unknown>;
  return Object.fromEntries(
    SETTING_NAMES.filter((name) => Object.hasOwn(found, name) && valueProblem(name, found[name]) === undefined).map(
      (name) => [name, found[name] as number],
    ),
  );
}
