/** A user's project: empty but for the packed packages, a compiler and a strict tsconfig. */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { npm } from "./npm.js";

const CHECKOUT = join(import.meta.dirname, "..", "..", "..");
const PROGRAM_MS_MAX = 120_000;

const run = promisify(execFile);

/** As a careful user sets it: nothing skipped, nothing implied. */
const TSCONFIG = {
  compilerOptions: {
    target: "es2022",
    module: "nodenext",
    lib: ["es2022"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    rootDir: "src",
    outDir: "out",
  },
  include: ["src"],
};

export class UserProject {
  readonly folder = mkdtempSync(join(tmpdir(), "tailkeep-user-"));

  private constructor() {
    mkdirSync(join(this.folder, "src"));
    writeFileSync(join(this.folder, "tsconfig.json"), JSON.stringify(TSCONFIG));
  }

  /** With the packages that this checkout would publish, and the compiler's version that it uses. */
  static async make(): Promise<UserProject> {
    const project = new UserProject();
    const { typescript } = manifestOf(CHECKOUT).devDependencies as { typescript: string };
    await project.install(...packed(project.folder), `typescript@${typescript}`);
    return project;
  }

  async install(...packages: readonly string[]): Promise<void> {
    await npm(this.folder, "install", ...packages);
  }

  /** Takes over the TypeScript files of a folder. */
  addPrograms(folder: string): void {
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
      cpSync(join(folder, name), join(this.folder, "src", name));
    }
  }

  addProgram(name: string, text: string): void {
    writeFileSync(join(this.folder, "src", name), text);
  }

  /** Rejects with the compiler's words. */
  async compile(): Promise<void> {
    const tsc = join(this.folder, "node_modules", "typescript", "bin", "tsc");
    await run(process.execPath, [tsc], { cwd: this.folder }).catch((error: { stdout?: string }) => {
      throw new Error(`the user's project does not compile:\n${error.stdout ?? String(error)}`);
    });
  }

  /** Runs what was compiled from `src/<name>.ts`; what it wrote. */
  async run(node: string, name: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { stdout, stderr } = await run(node, [join("out", `${name}.js`)], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], ...env },
      timeout: PROGRAM_MS_MAX,
    });
    return stdout + stderr;
  }

  /** The folder of an installed package. */
  packageFolder(name: string): string {
    return join(this.folder, "node_modules", ...name.split("/"));
  }

  /** Every installed package but the compiler and its platform's binary. */
  get installed(): string[] {
    const modules = join(this.folder, "node_modules");
    return readdirSync(modules)
      .filter((name) => !name.startsWith("."))
      .flatMap((name) =>
        name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : name,
      )
      .filter((name) => name !== "typescript" && !name.startsWith("@typescript/"))
      .sort();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function manifestOf(folder: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Readonly<Record<string, unknown>>;
}

/** Size of all files below a folder. */
export function bytesBelow(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => statSync(join(folder, name)));
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

/** Packs the checkout as it is built. */
function packed(folder: string): string[] {
  const script = join(CHECKOUT, "deploy", "package", "run.js");
  const output = execFileSync(process.execPath, [script, join(folder, "tarballs")], { encoding: "utf8" });
  return output.trim().split("\n");
}
