/** Plants each bug in a copy of the compiled tree, and sees whether it is caught. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { edited, type Mutant } from "./mutant.js";

export interface Verdict {
  readonly mutant: Mutant;
  readonly isCaught: boolean;
  /** Who caught it and how, or why it was not caught. */
  readonly how: string;
  /** Seeds that were run until it was caught; undefined for tests. */
  readonly seeds: number | undefined;
  readonly seconds: number;
}

const CHECKOUT = join(import.meta.dirname, "..", "..");
const PACKAGES = ["proto", "client", "server", "test"];
/** What is slow in a sound tree is not tried for ever in an unsound one. */
const TIMEOUT_MS = 240_000;

/** A copy of everything that runs, with the checkout's libraries. */
export class Copy {
  readonly folder: string;
  /** Which tests pass here without a bug, of those that were asked. */
  readonly #soundTests = new Map<string, boolean>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Copy> {
    const folder = await mkdtemp(join(tmpdir(), "tailkeep-mutants-"));
    const copy = async (path: string): Promise<void> => {
      await cp(join(CHECKOUT, path), join(folder, path), {
        recursive: true,
        filter: (source) => !/\/(node_modules|\.git)$/.test(source) && !source.includes("/test/dist"),
      });
    };
    for (const path of [
      "package.json",
      "tsconfig.json",
      "tsconfig.base.json",
      "deploy/local",
      "server/bin",
      "proto/src",
      "proto/descriptor.binpb",
      "client/src",
      "server/src",
      "test",
    ]) {
      await copy(path);
    }
    for (const name of ["proto", "client", "server"]) {
      await copy(`${name}/package.json`);
      await copy(`${name}/tsconfig.json`);
      await copy(`${name}/dist`);
    }
    await mkdir(join(folder, "node_modules", "@tailkeep"), { recursive: true });
    for (const name of await readdir(join(CHECKOUT, "node_modules"))) {
      if (name === "@tailkeep") continue;
      await symlink(join(CHECKOUT, "node_modules", name), join(folder, "node_modules", name));
    }
    for (const name of PACKAGES) await symlink(join(folder, name), join(folder, "node_modules", "@tailkeep", name));
    return new Copy(folder);
  }

  async judge(mutant: Mutant, seedsMax: number): Promise<Verdict> {
    const path = join(this.folder, mutant.file);
    const sound = await readFile(path, "utf8");
    const startedMs = performance.now();
    try {
      await writeFile(path, edited(sound, mutant));
      const found =
        mutant.catcher.by === "simulator" ? await this.#hunt(mutant, seedsMax) : await this.#test(mutant, sound);
      return { mutant, ...found, seconds: (performance.now() - startedMs) / 1_000 };
    } catch (error) {
      const how = error instanceof Error ? error.message : String(error);
      return { mutant, isCaught: false, how, seeds: undefined, seconds: (performance.now() - startedMs) / 1_000 };
    } finally {
      await writeFile(path, sound);
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  async #hunt({ catcher }: Mutant, seedsMax: number): Promise<Pick<Verdict, "isCaught" | "how" | "seeds">> {
    const needs = catcher.by === "simulator" ? (catcher.needs ?? []) : [];
    const hook = join(this.folder, "deploy/local/resolve-typescript.js");
    const file = join(this.folder, "test/mutation/hunt.ts");
    const { output, isTimeout } = await this.#run(["--import", hook, file, String(seedsMax), JSON.stringify(needs)]);
    if (isTimeout) return { isCaught: true, how: "the simulator: a run that does not end", seeds: undefined };
    const line = output.trim().split("\n").at(-1) ?? "";
    let report: { tried: number; found?: { seed: number; invariant: string; detail: string } };
    try {
      report = JSON.parse(line) as typeof report;
    } catch {
      return { isCaught: false, how: `the simulator did not run: ${output.slice(-300)}`, seeds: undefined };
    }
    const { tried, found } = report;
    if (found === undefined) return { isCaught: false, how: `nothing in ${tried} seeds`, seeds: tried };
    return { isCaught: true, how: `the simulator: ${found.invariant}, seed ${found.seed}`, seeds: tried };
  }

  /** The tests must run and fail, and pass in this very copy without the bug: what always fails catches nothing. */
  async #test(mutant: Mutant, sound: string): Promise<Pick<Verdict, "isCaught" | "how" | "seeds">> {
    if (mutant.catcher.by !== "test") throw new Error("a test is needed");
    const { filter, named } = mutant.catcher;
    const found = await this.#runTests(filter, named);
    if (!found.isCaught) return found;
    const tests = `${filter} ${named ?? ""}`;
    let isSound = this.#soundTests.get(tests);
    if (isSound === undefined) {
      await writeFile(join(this.folder, mutant.file), sound);
      isSound = (await this.#runTests(filter, named)).passed;
      this.#soundTests.set(tests, isSound);
    }
    return isSound ? found : { ...found, isCaught: false, how: `${filter} fails without the bug too` };
  }

  async #runTests(
    filter: string,
    named: string | undefined,
  ): Promise<Pick<Verdict, "isCaught" | "how" | "seeds"> & { readonly passed: boolean }> {
    const vitest = join(this.folder, "node_modules/vitest/vitest.mjs");
    const { output, code } = await this.#run([
      vitest,
      "run",
      "--root",
      join(this.folder, "test"),
      filter,
      ...(named === undefined ? [] : ["-t", named]),
    ]);
    const failed = /Tests\D+(\d+) failed/.exec(stripVTControlCharacters(output))?.[1];
    if (code === 0) return { isCaught: false, passed: true, how: `no test of ${filter} failed`, seeds: undefined };
    if (failed === undefined) {
      const last = stripVTControlCharacters(output).slice(-600);
      return { isCaught: false, passed: false, how: `${filter} did not run: ${last}`, seeds: undefined };
    }
    return { isCaught: true, passed: false, how: `${filter}: ${failed} tests`, seeds: undefined };
  }

  #run(args: readonly string[]): Promise<{ output: string; code: number | undefined; isTimeout: boolean }> {
    return new Promise((resolve) => {
      const options = { cwd: this.folder, timeout: TIMEOUT_MS, killSignal: "SIGKILL", maxBuffer: 2 ** 26 } as const;
      execFile(process.execPath, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
        resolve({ output: stdout + (code === 0 ? "" : stderr), code, isTimeout: error?.killed === true });
      });
    });
  }
}

/** Every anchor stands where it is said to stand, once. Throws for the first that does not. */
export async function checkAnchors(mutants: readonly Mutant[]): Promise<void> {
  for (const mutant of mutants) edited(await readFile(join(CHECKOUT, mutant.file), "utf8"), mutant);
}

export async function judgeAll(
  mutants: readonly Mutant[],
  options: { readonly seedsMax: number; readonly atOnce: number; readonly onVerdict?: (verdict: Verdict) => void },
): Promise<Verdict[]> {
  await checkAnchors(mutants);
  const waiting = [...mutants];
  const verdicts: Verdict[] = [];
  await Promise.all(
    Array.from({ length: Math.min(options.atOnce, mutants.length) }, async () => {
      const copy = await Copy.make();
      try {
        for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
          const verdict = await copy.judge(mutant, options.seedsMax);
          verdicts.push(verdict);
          options.onVerdict?.(verdict);
        }
      } finally {
        await copy.remove();
      }
    }),
  );
  return verdicts.sort((a, b) => mutants.indexOf(a.mutant) - mutants.indexOf(b.mutant));
}
