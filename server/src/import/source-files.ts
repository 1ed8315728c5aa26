/** Finds and reads the files of a directory, in an order that is the same everywhere: by path, as bytes compare. */
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { FILE_BYTES_MAX } from "./limits.js";

export interface SourceFile {
  /** Relative to the directory, with "/" on every platform. */
  readonly path: string;
  /** False for links, sockets and the like, which are named and not followed. */
  readonly isRegular: boolean;
}

export async function* sourceFiles(directory: string, below = ""): AsyncGenerator<SourceFile> {
  const entries = await readdir(join(directory, below), { withFileTypes: true });
  // A folder sorts as the paths in it do, so that the whole listing is in the order of paths.
  const sorted = entries
    .map((entry) => ({ entry, key: entry.isDirectory() ? `${entry.name}/` : entry.name }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  for (const { entry } of sorted) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) yield* sourceFiles(directory, path);
    else yield { path, isRegular: entry.isFile() };
  }
}

/** How many files there are, which costs the directory's listing and no reading. */
export async function countFiles(directory: string): Promise<number> {
  let count = 0;
  for await (const _file of sourceFiles(directory)) count += 1;
  return count;
}

/** Throws where the file cannot be read or is larger than FILE_BYTES_MAX. */
export async function readSourceFile(directory: string, path: string): Promise<Buffer> {
  const file = await open(join(directory, path), "r");
  try {
    const { size } = await file.stat();
    if (size > FILE_BYTES_MAX)
      throw new Error(`it has ${size} bytes; an import takes files of at most ${FILE_BYTES_MAX}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
