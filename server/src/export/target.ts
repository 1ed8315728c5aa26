/** Which file `--output` means. A finished export is renamed over it, and that must never take the place of a device. */
import { realpath, stat } from "node:fs/promises";

/**
 * The path to write: of a link, what it leads to. Throws where something stands there that is no regular file: a rename
 * would remove it, and for root that includes `/dev/null`.
 */
export async function fileToReplace(output: string): Promise<string> {
  const path = await realpath(output).catch(ifAbsent(output));
  const there = await stat(path).catch(ifAbsent(undefined));
  if (there === undefined || there.isFile()) return path;
  const what = there.isDirectory() ? "a folder" : "a device or pipe";
  throw new Error(`--output: ${output} is ${what}: name a file, or leave --output out and redirect standard output`);
}

function ifAbsent<T>(otherwise: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT") return otherwise;
    throw error;
  };
}
