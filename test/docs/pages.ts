/**
 * The TypeScript that a page shows, made runnable: each block becomes a file of its own. Names of `@tailkeep/client` that a
 * block uses and does not import are imported; a page may bring functions that stand for the reader's own code.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import * as client from "@tailkeep/client";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const TSC = join(CHECKOUT, "node_modules", "typescript", "bin", "tsc");
const STRICT =
  "--noEmit --ignoreConfig --strict --noUncheckedIndexedAccess --exactOptionalPropertyTypes --skipLibCheck";
const TARGET = "--module nodenext --target es2023 --types node --lib es2023,esnext.disposable";

export interface Block {
  /** Where it is in the page: its number among the blocks of its language. */
  readonly number: number;
  readonly code: string;
  /** The block of plain text that follows at once: what it prints. */
  readonly output: string | undefined;
}

/** The blocks of a language, in order. */
export function blocksOf(page: string, language: string): Block[] {
  const text = readFileSync(page, "utf8");
  const found = text.matchAll(/^```(\w+)\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm);
  return [...found]
    .filter((match) => match[1] === language)
    .map((match, index) => ({ number: index + 1, code: match[2] ?? "", output: match[3] }));
}

export interface SnippetFile {
  readonly block: Block;
  readonly file: string;
}

/** Files of a page's TypeScript, in a folder that finds packages as a trainer in a workspace would. */
export class Snippets {
  readonly folder: string;
  readonly files: readonly SnippetFile[];

  /** @param own Functions by name, added where a block calls one that it does not have. */
  constructor(page: string, own: Readonly<Record<string, string>> = {}) {
    this.folder = mkdtempSync(join(import.meta.dirname, ".page-"));
    this.files = blocksOf(page, "ts").map((block) => {
      const file = join(this.folder, `${basename(page, ".md").toLowerCase()}-${block.number}.ts`);
      writeFileSync(file, completed(block.code, own));
      return { block, file };
    });
  }

  /** Rejects with the compiler's words. */
  async compile(): Promise<void> {
    const args = [TSC, ...STRICT.split(" "), ...TARGET.split(" "), ...this.files.map(({ file }) => file)];
    await promisify(execFile)(process.execPath, args, { cwd: CHECKOUT }).catch((error: { stdout?: string }) => {
      throw new Error(error.stdout ?? String(error));
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function completed(code: string, own: Readonly<Record<string, string>>): string {
  const uses = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(code);
  const helpers = Object.entries(own).filter(
    ([name]) => uses(name) && !new RegExp(`(function\\*?|const|let) ${name}\\b`).test(code),
  );
  const imported = /import \{([^}]*)\} from "@tailkeep\/client"/.exec(code)?.[1] ?? "";
  const missing = Object.keys(client).filter((name) => uses(name) && !new RegExp(`\\b${name}\\b`).test(imported));
  const imports = missing.length === 0 ? "" : `import { ${missing.join(", ")} } from "@tailkeep/client";\n`;
  return `${imports}${code}\n${helpers.map(([, text]) => text).join("\n")}\nexport {};\n`;
}
