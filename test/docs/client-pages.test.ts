// What the client's README and its migration page show is compiled strictly and run against a real server; where a page
// says what is printed, that is what is printed.
import assert from "node:assert";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { types } from "node:util";
import * as client from "@tailkeep/client";
import { connect } from "@tailkeep/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../support/run-command.js";
import { TailkeepServer } from "../support/tailkeep-server.js";
import { blocksOf, Snippets } from "./pages.js";
import { runProgram } from "./run-program.js";

const CHECKOUT = join(import.meta.dirname, "..", "..");
const CLIENT = join(CHECKOUT, "client");
const PAGES = ["README.md", "docs/migration.md"];

/** The reader's own code. */
const TRAINER = {
  play: `function* play() {
    for (let n = 1; n <= 1_500; n++) yield { score: n, won: n % 3 === 0, frameHash: "frame-" + (n % 80), stagnant: n % 7 === 0 };
  }`,
};

describe.each(PAGES)("client/%s", (name) => {
  const page = join(CLIENT, name);
  const snippets = new Snippets(page, TRAINER);
  // Each page has a database of its own: what it prints is what it has recorded.
  const folder = mkdtempSync(join(tmpdir(), "tailkeep-page-"));
  let server: TailkeepServer;

  beforeAll(async () => {
    server = await TailkeepServer.start({ store: `sqlite:${join(folder, "tailkeep.db")}` });
  });

  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
    snippets.remove();
  });

  test("its TypeScript compiles strictly", async () => {
    await snippets.compile();
  });

  test.each(snippets.files.map(({ block, file }) => [block.number, block, file] as const))(
    "block %i runs, and prints what the page says",
    async (number, { output }, file) => {
      const env = { TAILKEEP_SERVER: server.grpcAddress, TAILKEEP_SESSION: `${name}-${number}`.replace("/", "-") };
      const { stdout, stderr } = await runProgram(file, folder, env);
      expect(stderr).toBe("");
      if (output !== undefined) expect(stdout).toBe(output);
      if (name === "README.md" && number === 1) {
        await using reader = connect({ server: server.grpcAddress });
        const { stored } = await reader.history.getStatistics({ sessionId: env.TAILKEEP_SESSION });
        expect(stored).toMatchObject({ score_history: 1_500, frame_tracking: 1_500 });
      }
    },
  );

  test("links lead to files and headings that exist", () => {
    const broken = [...readFileSync(page, "utf8").matchAll(/\]\((?!http)([^)]+)\)/g)]
      .map((match) => match[1] ?? "")
      .filter((link) => !leadsSomewhere(dirname(page), page, link));
    expect(broken).toEqual([]);
  });
});

test("the README names every environment variable that the client reads, and no other", () => {
  const source = readdirSync(join(CLIENT, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(CLIENT, "src", file), "utf8"))
    .join("");
  const read = new Set([...source.matchAll(/env(?:\[|, )"(TAILKEEP_[A-Z_]+)"/g)].map((match) => match[1] ?? ""));
  const named = new Set(readFileSync(join(CLIENT, "README.md"), "utf8").match(/\bTAILKEEP_[A-Z_]+\b/g));
  expect([...named].sort()).toEqual([...read].sort());
});

test("the migration page has a row for every earlier name, and what it names exists", async () => {
  const page = readFileSync(join(CLIENT, "docs", "migration.md"), "utf8");
  const earlier = [...page.matchAll(/^\| `([^`]+)`/gm)].map((match) => (match[1] ?? "").split(/[(.]/)[0]);
  for (const name of [
    "BoundedList",
    "BoundedDict",
    "DatabaseBoundedList",
    "DatabaseBoundedDict",
    "MemoryLeakFixer",
    "apply_memory_leak_fixes",
    "monitor_memory_usage",
    "get_statistics",
    "cleanup_old_data",
    "HybridDataManager",
    "ActionLimits",
    "MemoryLimits",
    "APIConfig",
    "LoggingConfig",
  ]) {
    expect(earlier, `no row for ${name}`).toContain(name);
  }
  const [command = ""] = blocksOf(join(CLIENT, "docs", "migration.md"), "console")
    .map(({ code }) => code)
    .filter((code) => code.includes("tailkeep import"));
  expect(command).not.toBe("");
  expect((await runCommand(["import", "--help"])).stdout).toContain("--dry-run");
});

test("lists and dictionaries differ from arrays and Maps as the README says", () => {
  const list = new client.BoundedList<number>(3);
  expect(list.push(1, 2, 3, 4)).toBe(3);
  expect(() => structuredClone(list)).toThrow("could not be cloned");
  expect(structuredClone(list.toList())).toEqual([2, 3, 4]);
  expect(() => {
    list[-1] = 0;
  }).toThrow(TypeError);
  list.set(-1, 5);
  expect(() => Object.freeze(list)).toThrow(TypeError);
  expect(list.map((item) => item)).not.toBeInstanceOf(client.BoundedList);
  expect(() => assert.deepStrictEqual(list, [2, 3, 5])).toThrow();
  expect(() => expect(list).toStrictEqual([2, 3, 5])).toThrow();
  assert.deepStrictEqual([...list], [2, 3, 5]);
  expect(list).toEqual([2, 3, 5]);
  list.unshift(1);
  list[10] = 6;
  expect([...list]).toEqual([undefined, undefined, 6]);
  list.length = 10;
  expect([...list]).toEqual([undefined, undefined, undefined]);
  Reflect.deleteProperty(list, 0);
  expect(0 in list).toBe(true);

  const dict = new client.BoundedDict(3, Object.entries({ a: 1, b: 2 }));
  expect(dict.get("a")).toBe(1);
  expect([...dict.keys()]).toEqual(["b", "a"]);
  expect(structuredClone(dict)).toEqual({});
  expect(structuredClone(new Map(dict)).get("a")).toBe(1);
  expect(JSON.stringify(dict)).toBe('{"b":2,"a":1}');
  expect([types.isMap(dict), dict instanceof Map]).toEqual([false, true]);
});

describe("the API page", () => {
  const page = join(CLIENT, "docs", "api.md");

  test("has a heading for everything that can be imported", () => {
    const headings = [...readFileSync(page, "utf8").matchAll(/^### `(\w+)`$/gm)].map((match) => match[1]);
    expect(headings).toEqual(expect.arrayContaining(Object.keys(client)));
    expect(new Set(headings).size).toBe(headings.length);
  });

  test("has only links that lead somewhere", () => {
    const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!http)([^)]+)\)/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(100);
    expect([...new Set(links)].filter((link) => !leadsSomewhere(dirname(page), page, link))).toEqual([]);
  });
});

function leadsSomewhere(folderOfPage: string, page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : join(folderOfPage, path);
  try {
    if (!target.endsWith(".md")) return readdirSync(dirname(target)).includes(target.split("/").at(-1) ?? "");
    const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1] ?? ""));
    return anchor === undefined || headings.includes(anchor);
  } catch {
    return false;
  }
}

/** As GitHub makes them. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
