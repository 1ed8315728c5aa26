// The page of the settings says what the schema says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCommand } from "../support/run-command.js";

test("the table of settings is what the command prints", async () => {
  const page = readFileSync(join(import.meta.dirname, "..", "..", "server", "docs", "configuration.md"), "utf8");
  const table = /<!-- settings: tailkeep config reference -->\n([\s\S]*)<!-- end of settings -->/.exec(page)?.[1];
  const printed = await runCommand(["config", "reference"]);
  expect(printed.stdout.split("\n").length).toBeGreaterThan(40);
  expect(table).toBe(printed.stdout);
});
