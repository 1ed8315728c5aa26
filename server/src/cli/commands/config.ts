/** `tailkeep config`: the settings that a server would start with, their schema, and the limits of one that runs. */
import type { Command } from "commander";
import { stringify } from "yaml";
import { z } from "zod";
import { environmentName, SETTINGS, withoutSecrets } from "../../config/load.js";
import { configSchema } from "../../config/schema.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";
import { registerCentralConfig } from "./central-config.js";

function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], tree);
}

const EXAMPLES = `
Examples:
  tailkeep config
  tailkeep config show --config /etc/tailkeep.yaml --json
  tailkeep config defaults > tailkeep.yaml
  tailkeep config get
  tailkeep config set memoryLimits.scoreHistory=200`;

export function registerConfig(program: Command): void {
  const config = program
    .command("config")
    .description("Shows the configuration, and changes the limits of a running server.")
    .addHelpText("after", EXAMPLES);
  const show = config
    .command("show", { isDefault: true })
    .description("The settings in force, each with where it is from. Passwords are not shown.")
    .option("--json", "as JSON")
    .action((options: Record<string, unknown>) => {
      const loaded = configFromFlags(options);
      const shown = withoutSecrets(loaded.config);
      if (options["json"] === true) {
        process.stdout.write(
          `${JSON.stringify({ config: shown, sources: loaded.sources, file: loaded.file ?? null })}\n`,
        );
        return;
      }
      const rows = SETTINGS.map(({ path }) => {
        const source = loaded.sources[path.join(".")] as string;
        return [path.join("."), String(valueAt(shown, path)), source, environmentName(path)];
      });
      const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
      for (const row of rows) {
        process.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`);
      }
    });
  addConfigFlags(show);
  config
    .command("schema")
    .description("Every setting as JSON Schema: type, bounds, default, meaning.")
    .action(() => {
      process.stdout.write(`${JSON.stringify(z.toJSONSchema(configSchema, { io: "input" }), null, 2)}\n`);
    });
  config
    .command("defaults")
    .description("A tailkeep.yaml with every default, to begin with.")
    .action(() => {
      process.stdout.write(stringify(configSchema.parse({})));
    });
  registerCentralConfig(config);
}
