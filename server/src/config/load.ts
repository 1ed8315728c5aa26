/** Puts a configuration together from flags, environment, file and defaults, and remembers where each value is from. */
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import type { z } from "zod";
import { type Config, configSchema } from "./schema.js";

export type Source = "flag" | "environment" | "file" | "default";

export interface Loaded {
  config: Config;
  /** By dotted path. */
  sources: Record<string, Source>;
  /** The file that was read, or undefined. */
  file: string | undefined;
  /** What it said. */
  fileText: string | undefined;
}

/** What is wrong with the configuration, in one line, with the remedy. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export const CONFIG_FILE_DEFAULT = "tailkeep.yaml";

export interface Setting {
  path: readonly string[];
  kind: "string" | "number" | "boolean" | "json";
  /** Whether a change in the file applies to a server that runs. */
  live: boolean;
}

function kindOf(schema: z.ZodType): Setting["kind"] {
  const type = schema.def.type as string;
  if (type === "number" || type === "boolean") return type;
  if (type === "record") return "json";
  const inner = (schema.def as { innerType?: z.ZodType }).innerType;
  return inner === undefined ? "string" : kindOf(inner);
}

function objectShape(schema: z.ZodType): Record<string, z.ZodType> | undefined {
  const def = schema.def as { type: string; innerType?: z.ZodType; shape?: Record<string, z.ZodType> };
  if (def.type === "object") return def.shape;
  return def.innerType === undefined ? undefined : objectShape(def.innerType);
}

function settingsOf(schema: z.ZodType, path: readonly string[] = []): Setting[] {
  const shape = objectShape(schema);
  if (shape === undefined) return [{ path, kind: kindOf(schema), live: schema.meta()?.["live"] === true }];
  return Object.entries(shape).flatMap(([name, inner]) => settingsOf(inner, [...path, name]));
}

/** Every setting, by path. */
export const SETTINGS: readonly Setting[] = settingsOf(configSchema);

function snake(name: string): string {
  return name.replace(/([A-Z])/g, "_$1").toUpperCase();
}

export function environmentName(path: readonly string[]): string {
  return `TAILKEEP_${path.map(snake).join("_")}`;
}

export function flagName(path: readonly string[]): string {
  return `--${path
    .join("-")
    .replace(/([A-Z])/g, "-$1")
    .toLowerCase()}`;
}

function typed(setting: Setting, text: string, where: string): unknown {
  if (setting.kind === "string") return text;
  if (setting.kind === "boolean") {
    if (["1", "true", "yes"].includes(text)) return true;
    if (["0", "false", "no", ""].includes(text)) return false;
    throw new ConfigError(`${where}: "${text}" is neither true nor false`);
  }
  if (setting.kind === "json") return fromJson(text, where);
  const number = Number(text);
  if (text.trim() === "" || Number.isNaN(number)) throw new ConfigError(`${where}: "${text}" is not a number`);
  return number;
}

function fromJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(`${where}: must be JSON, such as {"name":7}; ${JSON.stringify(text)} is not`);
  }
}

type Tree = { [name: string]: unknown };

function put(tree: Tree, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const next = at[name];
    at[name] = typeof next === "object" && next !== null ? next : {};
    at = at[name] as Tree;
  }
  at[path.at(-1) as string] = value;
}

/** What a tree of settings has at a path. */
export function settingAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Tree | null | undefined)?.[name], tree);
}

interface ReadFile {
  tree: Tree;
  file: string | undefined;
  fileText: string | undefined;
}

/** What a configuration file says; undefined where there is none. @throws Error */
export function configText(file: string = CONFIG_FILE_DEFAULT): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function readFile(file: string | undefined): ReadFile {
  const name = file ?? CONFIG_FILE_DEFAULT;
  try {
    const fileText = configText(name);
    if (fileText !== undefined) return { tree: treeOf(fileText), file: name, fileText };
  } catch (error) {
    throw new ConfigError(`${name}: ${String(error).split("\n")[0]}`);
  }
  if (file === undefined) return { tree: {}, file, fileText: undefined };
  throw new ConfigError(`${name}: no such file; name an existing one with --config`);
}

function treeOf(text: string): Tree {
  const tree: unknown = parse(text) ?? {};
  if (typeof tree === "object" && !Array.isArray(tree)) return tree as Tree;
  throw new Error("must be settings with their values, such as logLevel: debug");
}

/** @param flags by dotted path, as text @throws ConfigError */
export function loadConfig(
  flags: Readonly<Record<string, string>> = {},
  environment: NodeJS.ProcessEnv = process.env,
): Loaded {
  const { tree, file, fileText } = readFile(flags["config"] ?? environment["TAILKEEP_CONFIG"]);
  const sources: Record<string, Source> = {};
  for (const setting of SETTINGS) {
    const path = setting.path.join(".");
    const variable = environmentName(setting.path);
    const fromEnvironment = environment[variable];
    const fromFlag = flags[path];
    sources[path] = settingAt(tree, setting.path) === undefined ? "default" : "file";
    if (fromEnvironment !== undefined) {
      put(tree, setting.path, typed(setting, fromEnvironment, variable));
      sources[path] = "environment";
    }
    if (fromFlag !== undefined) {
      put(tree, setting.path, typed(setting, fromFlag, flagName(setting.path)));
      sources[path] = "flag";
    }
  }
  const parsed = configSchema.safeParse(tree);
  if (parsed.success) return { config: parsed.data, sources, file, fileText };
  const [issue] = parsed.error.issues;
  const whole = (issue?.path ?? []).map(String);
  // What is wrong may lie within a setting's value.
  const path = SETTINGS.find((setting) => setting.path.every((name, at) => name === whole[at]))?.path ?? whole;
  const source = sources[path.join(".")];
  const where =
    source === "flag"
      ? flagName(path)
      : source === "environment"
        ? environmentName(path)
        : `${file ?? "configuration"}: ${path.join(".") || "top level"}`;
  const within = whole.slice(path.length).map((name) => `${name}: `);
  throw new ConfigError(`${where}: ${within.join("")}${issue?.message}; see: tailkeep config --help`);
}

/**
 * A store's URL as people and logs may see it. The host begins behind the last @, as it does for whoever connects; what
 * no password may have in it unencoded is hidden all the same, because people write it.
 */
export function withoutPassword(store: string): string {
  return store.replace(/^(mysql:\/\/[^:]*):.*@/s, "$1:***@");
}

/** The configuration without its secrets, for people and logs. */
export function withoutSecrets(config: Config): Config {
  return { ...config, store: withoutPassword(config.store) };
}
