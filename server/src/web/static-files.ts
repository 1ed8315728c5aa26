/**
 * The dashboard's files, as its build left them: read once, served from memory, compressed beforehand.
 *
 * Names of all but the page itself carry a hash of their content, so a browser may keep them for good.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { SECURITY_HEADERS } from "./answer.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** In the order of preference, with the ending that the build gives them. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

interface StaticFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly encoded: ReadonlyMap<string, Buffer>;
  readonly isHashed: boolean;
}

const FOREVER = "public, max-age=31536000, immutable";

export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  /** @param folder where the build puts index.html and assets/; one that is missing has no files */
  constructor(folder: string) {
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const type = TYPES[extname(name)];
      if (type !== undefined) this.#files.set(`/${name.replaceAll("\\", "/")}`, readFile(join(folder, name), type));
    }
  }

  get isBuilt(): boolean {
    return this.#files.has("/index.html");
  }

  /** False where there is no such file. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    const file = this.#files.get(path === "/" ? "/index.html" : path);
    if (file === undefined) return false;
    const accepted = String(request.headers["accept-encoding"] ?? "");
    const [encoding, body] = [...file.encoded].find(([name]) => accepts(accepted, name)) ?? ["identity", file.plain];
    response.writeHead(200, {
      ...SECURITY_HEADERS,
      "content-type": file.type,
      "content-length": body.length,
      vary: "accept-encoding",
      ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
      // The page itself is small and names the others: it is asked for anew each time.
      ...(file.isHashed ? { "cache-control": FOREVER } : { "cache-control": "no-cache" }),
    });
    response.end(request.method === "HEAD" ? undefined : body);
    return true;
  }
}

function accepts(header: string, encoding: string): boolean {
  return header.split(",").some((part) => {
    const [name, quality] = part.trim().split(";");
    return name?.trim() === encoding && !/^\s*q=0(\.0*)?$/.test(quality ?? "");
  });
}

function readFile(path: string, type: string): StaticFile {
  const encoded = new Map<string, Buffer>();
  for (const [name, ending] of ENCODINGS) {
    if (existsSync(path + ending)) encoded.set(name, readFileSync(path + ending));
  }
  return { type, plain: readFileSync(path), encoded, isHashed: /-[\w-]{8,}\.\w+$/.test(path) };
}
