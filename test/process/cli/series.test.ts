// Series through a whole server: summed up while they are written, after a crash in the middle, and after the records are gone.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, NotFoundError, type SeriesAnswer, type TailkeepClient, type TrainingRecord } from "@tailkeep/client";
import { afterEach, expect, test } from "vitest";
import { temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

const BEGAN_US = 1_795_348_800_000_000;

function record(n: number): TrainingRecord {
  return {
    type: "performance_history",
    gameId: "ls20",
    eventTimeUs: BEGAN_US + n * 1_000_000,
    score: (n * 7_919) % 1_000,
    metadata: { loss: 1 / n, step: n },
  };
}

async function start(
  store: string,
  env: Record<string, string> = {},
): Promise<{ server: TailkeepServer; client: TailkeepClient }> {
  const server = await TailkeepServer.start({ store, env });
  const client = connect({ server: server.grpcAddress });
  cleanUp.push(
    () => server.kill(),
    () => client.close({ timeoutMs: 1_000 }).catch(() => undefined),
  );
  return { server, client };
}

function totals({ buckets }: SeriesAnswer): { count: number; sum: number; min: number; max: number } {
  return {
    count: buckets.reduce((sum, each) => sum + each.count, 0),
    sum: buckets.reduce((sum, each) => sum + each.sum, 0),
    min: Math.min(...buckets.map(({ min }) => min)),
    max: Math.max(...buckets.map(({ max }) => max)),
  };
}

const score = { sessionId: "run-1", type: "performance_history", column: "score" } as const;

test("a server killed in the middle of it has every record in its series, and no record twice", async () => {
  const folder = await temporaryFolder();
  cleanUp.push(() => folder.remove());
  const file = join(folder.path, "series.db");
  const store = `sqlite:${file}`;
  const first = await start(store);
  const stream = first.client.openStream({ sessionId: "run-1", streamId: "only" });
  let sent = 0;
  const acked = () => stream.ackedSeq;
  // Until some of it is summed up, so that the kill falls between checkpoints.
  for (const endAtMs = performance.now() + 4_000; performance.now() < endAtMs; await sleep(1)) {
    for (let count = 0; count < 200; count++) if (stream.append(record(sent + 1)).outcome !== "full") sent++;
  }
  const metrics = await first.server.metrics();
  expect(metrics.get("tailkeep_series_streams")).toBe(1);
  expect(metrics.get("tailkeep_series_memory_bytes")).toBeGreaterThan(0);
  expect(metrics.get("tailkeep_series_records_total")).toBeGreaterThan(0);
  expect(metrics.get("tailkeep_series_failures_total")).toBe(0);
  await first.server.kill();
  expect(acked()).toBeGreaterThan(8_192);
  await first.client.close({ timeoutMs: 1_000 }).catch(() => undefined);

  const db = new DatabaseSync(file, { readOnly: true });
  const one = (sql: string) => db.prepare(sql).get() as Record<string, number>;
  const rolled = Number(one("SELECT rolled_seq AS seq FROM rollup_streams")["seq"]);
  const raw = one(
    "SELECT COUNT(*) AS n, SUM(score) AS sum, MIN(score) AS min, MAX(score) AS max FROM performance_history",
  );
  db.close();
  const stored = Number(raw["n"]);
  expect(stored).toBeGreaterThanOrEqual(acked());
  expect(rolled, "the crash left something to be done").toBeGreaterThan(0);

  const { server, client } = await start(store);
  const found = await client.history.getSeries(score);
  expect(found).toMatchObject({ complete: true, wideBuckets: 0, xMin: BEGAN_US + 1_000_000 });
  expect(totals(found)).toEqual({ count: stored, sum: raw["sum"], min: raw["min"], max: raw["max"] });

  // What is summed up may go, as it does when it expires, and the series stays.
  const again = client.openStream({ sessionId: "run-1", streamId: "another" });
  again.append(record(stored + 1));
  await again.close();
  await server.stop();
  const writing = new DatabaseSync(file);
  const { changes } = writing
    .prepare(
      `DELETE FROM performance_history_rows
       WHERE seq <= (SELECT rolled_seq FROM rollup_streams r WHERE r.stream = performance_history_rows.stream)`,
    )
    .run();
  writing.close();
  expect(Number(changes)).toBeGreaterThanOrEqual(rolled);
  const last = await start(store);
  const kept = await last.client.history.getSeries({ ...score, x: "metadata.step", points: 100 });
  expect(kept).toMatchObject({ complete: true, wideBuckets: 0, xMin: 1, xMax: stored + 1 });
  expect(totals(kept).count).toBe(stored + 1);
}, 60_000);

test("a server that does not sum up does not do it at its end either, whatever was asked for", async () => {
  const folder = await temporaryFolder();
  cleanUp.push(() => folder.remove());
  const file = join(folder.path, "series.db");
  const { server, client } = await start(`sqlite:${file}`, { TAILKEEP_ROLLUPS: "false" });
  const stream = client.openStream({ sessionId: "run-1" });
  // More than what a question leaves to be read one by one.
  for (let first = 1; first <= 10_000; first += 1_000) {
    await stream.write(Array.from({ length: 1_000 }, (_, at) => record(first + at)));
  }
  await stream.close();
  expect(totals(await client.history.getSeries(score)).count).toBe(10_000);
  await server.stop();
  const db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare("SELECT COUNT(*) AS n FROM rollup_streams").get()).toEqual({ n: 0 });
  db.close();
});

test("the command lists series and prints one", async () => {
  const folder = await temporaryFolder();
  cleanUp.push(() => folder.remove());
  const { server, client } = await start(`sqlite:${join(folder.path, "series.db")}`);
  const stream = client.openStream({ sessionId: "run-1" });
  await stream.write([
    ...Array.from({ length: 100 }, (_, n) => record(n + 1)),
    { type: "score_history", gameId: "ls20", eventTimeUs: BEGAN_US, score: 5 },
  ]);
  await stream.close();
  const run = (...args: string[]) => runCommand(["series", ...args, "--server", server.grpcAddress]);
  const listed = await run("run-1");
  expect(listed).toMatchObject({ code: 0, stderr: "" });
  expect(listed.stdout.split("\n").map((line) => line.split("  ").slice(0, 4).join(" "))).toEqual([
    "performance_history ls20 metadata.loss 100 values",
    "performance_history ls20 metadata.step 100 values",
    "performance_history ls20 score 100 values",
    "score_history ls20 score 1 values",
    "",
  ]);
  const points = await run("run-1", "--column", "metadata.loss", "--x", "metadata.step", "--points", "4", "--json");
  expect(points.stderr).toBe("");
  expect(
    points.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { xFirst: number; max: number; count: number })
      .map(({ xFirst, max, count }) => [xFirst, max, count]),
  ).toEqual([
    [1, 1, 25],
    [26, 1 / 26, 25],
    [51, 1 / 51, 25],
    [76, 1 / 76, 25],
  ]);
  expect((await run("run-1", "--column", "score", "--type", "score_history")).stdout).toBe(
    "2026-11-22T12:00:00.000000Z  min 5  mean 5  max 5  of 1\n",
  );
  expect(await run("run-1", "--column", "score")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("name one with --type") as string,
  });
  expect(await run("nobody")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("no session nobody") as string,
  });
  await expect(client.history.getSeries({ ...score, column: "metadata" })).rejects.toThrow(
    "column: performance_history has no numbers of this name",
  );
  await expect(client.history.getSeries({ ...score, sessionId: "nobody" })).rejects.toThrow(NotFoundError);
});
