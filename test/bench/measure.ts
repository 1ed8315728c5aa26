/** Runs children and times calls. */
import { spawn } from "node:child_process";
import { join } from "node:path";

const HOOK = join(import.meta.dirname, "..", "..", "deploy", "local", "resolve-typescript.js");

/** Runs a TypeScript file of this folder and returns what it printed as JSON. */
export function child<Result>(file: string, ...args: readonly (string | number)[]): Promise<Result> {
  return childWith<Result>({}, file, ...args);
}

/** The same, with more environment and options for Node. */
export async function childWith<Result>(
  {
    env = {},
    execArgv = [],
  }: { readonly env?: Readonly<Record<string, string>>; readonly execArgv?: readonly string[] },
  file: string,
  ...args: readonly (string | number)[]
): Promise<Result> {
  const path = join(import.meta.dirname, file);
  const running = spawn(process.execPath, [...execArgv, "--import", HOOK, path, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  let output = "";
  running.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => running.once("exit", resolve));
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return JSON.parse(output) as Result;
}

/** Milliseconds of each of `count` runs, sorted. */
export async function times(count: number, work: () => unknown): Promise<number[]> {
  const ms: number[] = [];
  for (let at = 0; at < count; at++) {
    const startedMs = performance.now();
    await work();
    ms.push(performance.now() - startedMs);
  }
  return ms.sort((a, b) => a - b);
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
