/** `tailkeep top`: what the server is doing, live. */
import { setTimeout as sleep } from "node:timers/promises";
import { DeadlineError, type TailkeepClient, UnavailableError } from "@tailkeep/client";
import { type Command, Option } from "commander";
import { wholeNumber } from "../arguments.js";
import { addServerOption, type ServerFlag, withClient } from "../connect.js";
import { untilInterrupted } from "../interrupt.js";
import { type LinePrinter, linePrinter } from "../line-printer.js";
import { type Sample, takeSample } from "../top/sample.js";
import { openScreen } from "../top/screen.js";
import { SORTS, type Sort, viewLines, viewObject } from "../top/view.js";

interface TopFlags extends ServerFlag {
  readonly http?: string;
  readonly interval: number;
  readonly sessions: number;
  readonly sort: Sort;
  readonly once?: true;
  readonly json?: true;
}

const EXAMPLES = `
On a terminal: q ends it, s sorts by the next column. In a pipe each look is a few lines. Memory, caches and commits come
from the server's /metrics; where that does not answer, the rest is shown and says so.

Examples:
  tailkeep top
  tailkeep top --server trainer-1:50051 --http http://trainer-1:9464 --interval 5
  tailkeep top --once
  tailkeep top --json | jq .storedPerSecond`;

export function registerTop(program: Command): void {
  const command = program
    .command("top")
    .description("watch sessions, rates, losses, memory and the store, live")
    .option("--http <url>", "the server's HTTP side (default: TAILKEEP_HTTP_ADDR, or http://127.0.0.1:9464)")
    .option("--interval <seconds>", "between two looks", wholeNumber(1, 3_600), 2)
    .option("--sessions <count>", "sessions looked at, running ones first", wholeNumber(1, 200), 40)
    .addOption(new Option("--sort <column>", "what the sessions are sorted by").choices(SORTS).default("rate"))
    .option("--once", "look twice, a second apart, print the result and end")
    .option("--json", "one JSON object a look")
    .addHelpText("after", EXAMPLES)
    .action((flags: TopFlags) => withClient("top", flags, (client) => top(client, flags)));
  addServerOption(command);
}

function httpUrl({ http }: TopFlags): string {
  const address = http ?? (process.env["TAILKEEP_HTTP_ADDR"] || "127.0.0.1:9464");
  const url = /^https?:\/\//.test(address) ? address : `http://${address}`;
  // Where it listens on every address, this machine's own is one of them.
  return url.replace(/\/+$/, "").replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

async function top(client: TailkeepClient, flags: TopFlags): Promise<void> {
  const server = client.options.server;
  const look = () => takeSample({ client, httpUrl: httpUrl(flags), sessionsMax: flags.sessions });
  const wide = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, server };
  const text = (sample: Sample, before: Sample | undefined) =>
    flags.json
      ? JSON.stringify(viewObject(sample, before, flags.sort))
      : viewLines(sample, before, { ...wide, sort: flags.sort }).join("\n");
  // The first look fails like any other command's; later ones wait for the server to come back.
  const first = await look();
  if (flags.once) {
    await sleep(1_000);
    process.stdout.write(`${text(await look(), first)}\n`);
    return;
  }
  await untilInterrupted(async (signal) => {
    if (process.stdout.isTTY && !flags.json) await onScreen(first, look, flags, server, signal);
    else await inLines(first, look, flags, text, linePrinter(), signal);
  });
}

type Look = () => Promise<Sample>;

async function inLines(
  first: Sample,
  look: Look,
  flags: TopFlags,
  text: (sample: Sample, before: Sample | undefined) => string,
  printer: LinePrinter,
  interrupted: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([interrupted, printer.closed]);
  let before = first;
  printer.print(text(first, undefined));
  while (await rested(flags.interval, signal)) {
    const sample = await look().catch((error: unknown) => absence(error));
    if (typeof sample === "string") {
      console.error(`tailkeep top: ${sample}`);
      continue;
    }
    // A blank line tells one look from the next.
    printer.print(flags.json ? text(sample, before) : `\n${text(sample, before)}`);
    before = sample;
  }
}

async function onScreen(
  first: Sample,
  look: Look,
  flags: TopFlags,
  server: string,
  interrupted: AbortSignal,
): Promise<void> {
  const quit = new AbortController();
  const signal = AbortSignal.any([interrupted, quit.signal]);
  let sort = flags.sort;
  let sample = first;
  let before: Sample | undefined;
  let trouble: string | undefined;
  const draw = () => {
    const { columns, rows } = screen;
    const foot = trouble ?? `sorted by ${sort}   s: sort by the next column   q: quit`;
    screen.draw([...viewLines(sample, before, { sort, columns, rows: rows - 1, server }), foot.slice(0, columns)]);
  };
  const screen = openScreen((key) => {
    if (key === "q" || key === "\u0003") quit.abort();
    if (key !== "s") return;
    sort = SORTS[(SORTS.indexOf(sort) + 1) % SORTS.length] as Sort;
    draw();
  }, draw);
  try {
    draw();
    while (await rested(flags.interval, signal)) {
      const found = await look().catch((error: unknown) => absence(error));
      if (typeof found === "string") trouble = found;
      else {
        [before, sample, trouble] = [sample, found, undefined];
      }
      draw();
    }
  } finally {
    screen.close();
  }
}

/** Why there is nothing to show, where waiting may help. */
function absence(error: unknown): string {
  if (error instanceof UnavailableError || error instanceof DeadlineError)
    return "the server does not answer; trying again";
  throw error;
}

/** False once it is over. */
async function rested(seconds: number, signal: AbortSignal): Promise<boolean> {
  await sleep(seconds * 1_000, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
