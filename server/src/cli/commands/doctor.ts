/** `tailkeep doctor`: is everything as it should be, and what to do where it is not. */
import type { Command } from "commander";
import type { Finding } from "../../doctor/finding.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";
import { addServerOption } from "../connect.js";
import { EXIT_FAILED } from "../failure.js";

const EXAMPLES = `
Examples:
  tailkeep doctor
  tailkeep doctor --config /etc/tailkeep.yaml
  tailkeep doctor --json | jq '.findings[] | select(.level != "ok")'`;

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check configuration, store, durability, clocks, disk, addresses and server; changes nothing")
    .option("--json", "print the findings as JSON, and nothing else")
    .addHelpText("after", EXAMPLES)
    .action(diagnose);
  addServerOption(command);
  addConfigFlags(command, ["store", "grpcAddr", "httpAddr", "tlsCert"]);
}

async function diagnose(flags: Readonly<Record<string, unknown>>): Promise<void> {
  const server = typeof flags["server"] === "string" ? flags["server"] : process.env["TAILKEEP_SERVER"] || undefined;
  // Loaded here, as it needs both databases' drivers, and no other command does.
  const { examine } = await import("../../doctor/examine.js");
  const findings = await examine(() => configFromFlags(flags), server);
  const isSound = findings.every((finding) => finding.level !== "error");
  if (flags["json"] === true) process.stdout.write(`${JSON.stringify({ ok: isSound, findings })}\n`);
  else process.stdout.write(`${findings.map(line).join("\n")}\n`);
  if (!isSound) process.exitCode = EXIT_FAILED;
}

function line({ check, level, message, remedy }: Finding): string {
  const advice = remedy === undefined ? "" : `\n${" ".repeat(9)}-> ${remedy}`;
  return `${level.padEnd(7)}  ${check}: ${message}${advice}`;
}
