// A Parquet file as other programs read it. pyarrow reads it too where this python3, or TAILKEEP_TEST_PYTHON, has it.
import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../support/run-command.js";
import { BEGAN_US, type FilledServer, startFilledServer } from "./filled-server.js";

/** More than one row group has. */
const SCORES = 70_000;
let filled: FilledServer;

beforeAll(async () => {
  filled = await startFilledServer(SCORES);
}, 120_000);
afterAll(() => filled.stop());

const exported = (...args: string[]) =>
  runCommand(["export", "--format", "parquet", ...args], { env: filled.env, cwd: filled.folder });

async function read(name: string) {
  const bytes = await readFile(join(filled.folder, name));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return { metadata: parquetMetadata(file), rows: await parquetReadObjects({ file, useOffsetIndex: false }) };
}

test("columns have their types, and values come back as they were recorded", { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await exported("--session", "run-1", "--output", "run-1.parquet");
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "4 records in run-1.parquet\n" });
  const { metadata, rows } = await read("run-1.parquet");
  const types = Object.fromEntries(metadata.schema.map(({ name, type }) => [name, type]));
  expect(types).toMatchObject({
    seq: "INT64",
    timestamp: "INT64",
    score: "DOUBLE",
    win: "BOOLEAN",
    coordinate_x: "INT32",
  });
  expect(metadata.schema.find(({ name }) => name === "timestamp")?.logical_type).toMatchObject({
    type: "TIMESTAMP",
    isAdjustedToUTC: true,
    unit: "MICROS",
  });
  expect(rows).toMatchObject([
    {
      type: "score_history",
      session_id: "run-1",
      stream_id: "only",
      seq: 1n,
      game_id: "ls20",
      score: Number.NaN,
      win: null,
    },
    { seq: 2n, score: 9.077012864872811, metadata: '{"text":"a \\"quoted\\"\\r\\nline","list":[1,null]}' },
    { seq: 3n, status: "", win: false, actions_taken: 0n, score: null },
    { seq: 4n, frame_hash: "f1", stagnation_detected: null },
  ]);
});

test("a long history is several row groups, and one type has its own columns", { timeout: 120_000 }, async () => {
  expect(await exported("--session", "run-2", "--type", "score_history", "--output", "scores.parquet")).toMatchObject({
    code: 0,
  });
  const { metadata, rows } = await read("scores.parquet");
  expect(metadata.row_groups.length).toBe(2);
  expect(metadata.schema.slice(1).map(({ name }) => name)).toEqual(
    "type session_id stream_id seq timestamp game_id score score_type".split(" "),
  );
  expect(rows).toHaveLength(SCORES);
  expect(rows.every((row, at) => row["score"] === at && row["seq"] === BigInt(at + 1))).toBe(true);
  expect((await readdir(filled.folder)).filter((name) => name.includes("unfinished"))).toEqual([]);
});

test("an independent reader finds the same", { timeout: 120_000 }, async (context) => {
  const python = process.env["TAILKEEP_TEST_PYTHON"] ?? "python3";
  if (spawnSync(python, ["-c", "import pyarrow.parquet"]).status !== 0) return context.skip("no pyarrow here");
  await exported("--output", "all.parquet");
  const program = `
import json, sys, pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
times = table.column("timestamp").cast("int64").to_pylist()
scores = table.column("score").to_pylist()
print(json.dumps([table.num_rows, str(table.schema.field("timestamp").type), str(table.schema.field("actions_taken").type),
  min(times), sum(s for s in scores if s is not None and s == s), sum(1 for s in scores if s is not None and s != s)]))`;
  const { stdout, stderr } = spawnSync(python, ["-c", program, join(filled.folder, "all.parquet")], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const sum = (SCORES * (SCORES - 1)) / 2 + 9.077012864872811;
  expect(JSON.parse(stdout)).toEqual([
    SCORES + 4,
    "timestamp[us, tz=UTC]",
    "int64",
    BEGAN_US,
    expect.closeTo(sum, 3),
    1,
  ]);
});

test("it needs a file", async () => {
  expect(await exported("--session", "run-1")).toMatchObject({ code: 2, stderr: expect.stringContaining("--output") });
});
