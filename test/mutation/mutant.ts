/** What a planted bug is: a text in a compiled file, what stands there instead, and who must notice. */
import type { FaultKind } from "../sim/plan.js";

export type Area = "protocol" | "store" | "spill" | "cache" | "auth" | "series";

export interface Edit {
  /** Exactly this stands in the file, once. */
  readonly find: string;
  readonly replace: string;
}

export type Catcher =
  /** The simulator, on seeds that have what the bug needs to show. */
  | { readonly by: "simulator"; readonly needs?: readonly Need[] }
  /** Tests by a filter of files, and of names, as vitest takes them: what no simulation runs, such as SQL or a file system. */
  | { readonly by: "test"; readonly filter: string; readonly named?: string };

export type Need = FaultKind | "large records" | "watchers" | "two servers";

export interface Mutant {
  /** What is wrong, as one would say it. */
  readonly name: string;
  readonly area: Area;
  /** From the root of the repository. Compiled code; source only where the catcher imports that. */
  readonly file: string;
  readonly edits: readonly Edit[];
  readonly catcher: Catcher;
}

export const SIMULATOR: Catcher = { by: "simulator" };

export function simulatorWith(...needs: readonly Need[]): Catcher {
  return { by: "simulator", needs };
}

export function edited(text: string, { name, file, edits }: Mutant): string {
  let result = text;
  for (const { find, replace } of edits) {
    const places = result.split(find).length - 1;
    if (places !== 1)
      throw new Error(`"${name}": ${file} has ${places} places like ${JSON.stringify(find)}, and must have one`);
    result = result.replace(find, () => replace);
  }
  return result;
}
