/** What there is to say about each setting, for help texts and for the table in docs/configuration.md. */
import { environmentName, flagName, SETTINGS, type Setting, settingAt } from "./load.js";
import { configSchema } from "./schema.js";

/** What it is for: a sentence. Settings of a group share the group's. */
export function meaningOf({ path }: Pick<Setting, "path">): string {
  const [first] = path;
  const schema = configSchema.shape[first as keyof typeof configSchema.shape];
  const text = schema.description ?? "";
  return path.length === 1 ? text : `${text.replace(/\.$/, "")}: ${path.slice(1).join(".")}.`;
}

function defaultText(value: unknown): string {
  return value === "" ? "none" : `\`${typeof value === "object" ? JSON.stringify(value) : String(value)}\``;
}

/** Every setting as a table in Markdown. */
export function settingsTable(): string {
  const defaults = configSchema.parse({});
  const rows = SETTINGS.map((setting) => {
    const { path, live } = setting;
    const names = [path.join("."), environmentName(path), flagName(path)].map((name) => `\`${name}\``);
    return [...names, defaultText(settingAt(defaults, path)), live ? "live" : "restart", meaningOf(setting)];
  });
  const heads = ["Setting", "Variable", "Flag", "Default", "Applies", "Meaning"];
  const lines = [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |\n`);
  return lines.join("");
}
