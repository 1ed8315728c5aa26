/** Settings as flags of a command: one flag for each, read by config/load.ts. */
import type { Command } from "commander";
import { flagName, type Loaded, loadConfig, SETTINGS, type Setting } from "../config/load.js";
import { meaningOf } from "../config/reference.js";

function description(setting: Setting): string {
  return `${meaningOf(setting)} In the file: applies at ${setting.live ? "once" : "restart"}.`;
}

export function addConfigFlags(command: Command, only?: readonly string[]): Command {
  command.option("--config <file>", "read settings from this file (default: tailkeep.yaml, where there is one)");
  for (const setting of SETTINGS) {
    const path = setting.path.join(".");
    if (only === undefined || only.includes(path))
      command.option(`${flagName(setting.path)} <value>`, description(setting));
  }
  return command;
}

/** @throws ConfigError */
export function configFromFlags(options: Readonly<Record<string, unknown>>): Loaded {
  const flags: Record<string, string> = {};
  if (typeof options["config"] === "string") flags["config"] = options["config"];
  for (const setting of SETTINGS) {
    const name = flagName(setting.path)
      .slice(2)
      .replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = options[name];
    if (typeof value === "string") flags[setting.path.join(".")] = value;
  }
  return loadConfig(flags);
}
