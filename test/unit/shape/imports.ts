// Which file imports which. Read from the text: TypeScript 7 has no compiler API, and the formatter keeps import
// statements in one shape.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

export interface Import {
  /** The importing file, relative to the folder that was searched, with "/" on every platform. */
  readonly from: string;
  /** As written: `./store.js`, `@tailkeep/client`, `node:fs`. */
  readonly specifier: string;
}

const STATEMENT = /^(?:import|export)\b(?:[^"';]*?\bfrom\s*)?\s*"([^"]+)"/gm;
const CALL = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** Every import and re-export, type-only ones too, of the TypeScript files below `folder`. */
export function importsOf(folder: string): Import[] {
  return sourceFiles(folder).flatMap((from) => {
    const text = readFileSync(join(folder, from), "utf8");
    const found = [...text.matchAll(STATEMENT), ...text.matchAll(CALL)];
    return found.map((match) => ({ from, specifier: match[1] ?? "" }));
  });
}

export function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => name.split(sep).join("/"));
}

/** The file that a relative import means, relative to `folder`; undefined for a package. */
export function targetOf(folder: string, { from, specifier }: Import): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const target = resolve(folder, dirname(from), specifier).replace(/\.js$/, ".ts");
  return relative(folder, target).split(sep).join("/");
}

/** A cycle of files, first one repeated at the end; undefined if there is none. */
export function findCycle(folder: string): string[] | undefined {
  const targets = new Map<string, string[]>(sourceFiles(folder).map((file) => [file, []]));
  for (const each of importsOf(folder)) {
    const target = targetOf(folder, each);
    if (target !== undefined) targets.get(each.from)?.push(target);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (done.has(file)) return undefined;
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    path.push(file);
    for (const target of targets.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of targets.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}
