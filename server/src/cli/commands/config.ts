/** `tailkeep config`: the settings that a server would start with, their schema, and the limits of one that runs. */
import type { Command } from "commander";
import { stringify } from "yaml";
import { z } from "zod";
import { environmentName, SETTINGS, settingAt, withoutSecrets } from "../../config/load.js";
import { settingsTable } from "../../config/reference.js";
import { configSchema } from "../../config/schema.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";
import { registerCentralConfig } from "./central-config.js";

function shownValue(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** As JSON Schema, in which `live` of a setting says whether a change in the file applies to a server that runs. */
function jsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, { io: "input" });
  for (const { path, live } of SETTINGS) {
    const at = path.flatMap((name) => ["properties", name]);
    Object.assign(settingAt(schema, at) as object, { live });
  }
  return schema;
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
    .description(
      "The settings that a server would start with, each with where it is from and when a change of it in the file applies. " +
        "Passwords are not shown.",
    )
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
      const rows = SETTINGS.map(({ path, live }) => {
        const source = loaded.sources[path.join(".")] as string;
        return [
          path.join("."),
          shownValue(settingAt(shown, path)),
          source,
          live ? "live" : "restart",
          environmentName(path),
        ];
      });
      const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
      for (const row of rows) {
        process.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}\n`);
      }
    });
  addConfigFlags(show);
  config
    .command("schema")
    .description("Every setting as JSON Schema: type, bounds, default, meaning, and whether it is live.")
    .action(() => {
      process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    });
  config
    .command("defaults")
    .description("A tailkeep.yaml with every default, to begin with.")
    .action(() => {
      process.stdout.write(stringify(configSchema.parse({})));
    });
  config
    .command("reference")
    .description("Every setting as a Markdown table: names in file, environment and flags, default, meaning.")
    .action(() => {
      process.stdout.write(settingsTable());
    });
  registerCentralConfig(config);
}
