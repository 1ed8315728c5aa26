// Dependencies run one way: proto <- client <- server, and inside the server along the path of a record. A change of
// the design is a change of these tables.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findCycle, importsOf, sourceFiles, targetOf } from "./imports.js";

const CHECKOUT = join(import.meta.dirname, "..", "..", "..");

/** Each package's source, and which of our packages it may import. */
const PACKAGES: Record<string, readonly string[]> = {
  proto: [],
  client: ["proto"],
  server: ["proto", "client"],
};

/** Words and numbers that every part of the server speaks in. */
const VOCABULARY = ["base", "limits", "record"];

/** Each folder or file directly in server/src, and which others it may import. In the order of a record's path. */
const SERVER_PARTS: Record<string, readonly string[]> = {
  base: [],
  limits: [],
  record: ["base", "limits"],

  stream: [...VOCABULARY, "ack", "rpc", "session"],
  session: [...VOCABULARY, "commit", "store"],
  commit: [...VOCABULARY, "store"],
  store: VOCABULARY,
  cache: [...VOCABULARY, "store"],
  ack: VOCABULARY,

  series: [...VOCABULARY, "rpc", "store"],
  history: [...VOCABULARY, "cache", "rpc", "series", "store"],
  state: [...VOCABULARY, "rpc", "store"],
  access: [...VOCABULARY, "rpc", "store"],
  admin: [...VOCABULARY, "rpc", "store"],
  "central-config": [...VOCABULARY, "config", "rpc", "store"],
  rpc: [...VOCABULARY, "store"],
  web: [...VOCABULARY, "cache", "history", "rpc", "store"],
  http: [...VOCABULARY, "config"],
  config: ["base", "limits"],

  demo: [],
  import: ["base"],
  export: ["record"],
  doctor: [...VOCABULARY, "config", "store"],
  backup: [...VOCABULARY, "store"],
  migrate: [...VOCABULARY, "store"],
  cli: ["access", "backup", "base", "config", "demo", "doctor", "export", "import", "limits", "migrate", "serve"],
  "ingest-path": [...VOCABULARY, "cache", "commit", "session", "store", "stream"],
  // The composition root.
  serve: ["*"],
};

/** The parts of the server that are clients of it, like any other. */
const CLIENT_SIDE = ["cli", "demo", "export", "import"];

const sourceOf = (name: string) => join(CHECKOUT, name, "src");
const partOf = (file: string) => (file.split("/")[0] ?? "").replace(/\.ts$/, "");

describe.each(Object.entries(PACKAGES))("package %s", (name, allowed) => {
  const folder = sourceOf(name);

  test(`imports of our packages only: ${allowed.join(", ") || "none"}`, () => {
    const wrong = importsOf(folder)
      .filter(({ specifier }) => specifier.startsWith("@tailkeep/"))
      .filter(({ specifier }) => !allowed.some((other) => specifier === `@tailkeep/${other}`))
      .map(({ from, specifier }) => `${from} imports ${specifier}`);
    expect(wrong).toEqual([]);
  });

  test("reaches no file outside itself, and every file that it names exists", () => {
    const files = new Set(sourceFiles(folder));
    const wrong = importsOf(folder)
      .map((each) => ({ ...each, target: targetOf(folder, each) }))
      .filter(({ target }) => target !== undefined && !files.has(target))
      .map(({ from, specifier }) => `${from} imports ${specifier}`);
    expect(wrong).toEqual([]);
  });

  test("has no cycle among its files", () => {
    expect(findCycle(folder)?.join(" -> ")).toBeUndefined();
  });
});

describe("the server's parts", () => {
  const folder = sourceOf("server");

  test("are all in the table", () => {
    const unknown = new Set(
      sourceFiles(folder)
        .map(partOf)
        .filter((part) => !(part in SERVER_PARTS)),
    );
    expect([...unknown], "say in SERVER_PARTS what this new part may import").toEqual([]);
  });

  test("import only what the table allows", () => {
    const wrong = importsOf(folder).flatMap((each) => {
      const target = targetOf(folder, each);
      if (target === undefined) return [];
      const [from, to] = [partOf(each.from), partOf(target)];
      const allowed = SERVER_PARTS[from] ?? [];
      return from === to || allowed.includes("*") || allowed.includes(to) ? [] : [`${each.from} imports ${to}`];
    });
    expect(wrong).toEqual([]);
  });

  test("leave the client package to those that are clients", () => {
    const wrong = importsOf(folder)
      .filter(({ specifier }) => specifier === "@tailkeep/client")
      .filter(({ from }) => !CLIENT_SIDE.includes(partOf(from)))
      .map(({ from }) => from);
    expect(wrong).toEqual([]);
  });

  test("are not allowed in a circle", () => {
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      (SERVER_PARTS[from] ?? []).some(
        (next) => next === to || (!seen.has(next) && seen.add(next) && reaches(next, to, seen)),
      );
    expect(Object.keys(SERVER_PARTS).filter((part) => reaches(part, part))).toEqual([]);
  });
});

describe("the reader of imports", () => {
  test("sees every form of import, and a cycle made of types only", () => {
    const folder = mkdtempSync(join(tmpdir(), "tailkeep-imports-"));
    try {
      mkdirSync(join(folder, "sub"));
      const a = [
        'import "./plain.js";',
        'import type { B } from "./sub/b.js";',
        "import {",
        "  one,",
        "  two,",
        '} from "pkg";',
        'export * from "node:fs";',
        'export { x } from "./x.js";',
        'const later = await import("./later.js");',
        '// import "./comment.js"',
        'export const text = "from nowhere";',
      ];
      writeFileSync(join(folder, "a.ts"), a.join("\n"));
      writeFileSync(join(folder, "sub", "b.ts"), 'import type { A } from "../a.js";\n');
      const specifiers = importsOf(folder).map(({ from, specifier }) => `${from} ${specifier}`);
      expect(specifiers.sort()).toEqual([
        "a.ts ./later.js",
        "a.ts ./plain.js",
        "a.ts ./sub/b.js",
        "a.ts ./x.js",
        "a.ts node:fs",
        "a.ts pkg",
        "sub/b.ts ../a.js",
      ]);
      expect(findCycle(folder)).toEqual(["a.ts", "sub/b.ts", "a.ts"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
