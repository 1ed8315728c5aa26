// The earlier system's tables are views under the same names: its users' SQL goes on, and is answered from an index.
import type { Record as WireRecord } from "@tailkeep/proto";
import { beforeAll, describe, expect, test } from "vitest";
import { batchOf, recordEntry } from "../support/records/batches.js";
import { everyStore, type StoreFixture } from "./support/stores.js";
import { Writer } from "./support/writer.js";

const BASE_US = Date.UTC(2026, 0, 1) * 1_000;
const SESSIONS = ["run-1", "run-2", "run-3", "run-4"];
const GAMES = ["ls20", "ft09", "vc33", "as66"];

/** Record `n` of a session, a second after the one before, in turn of every type and game. */
function record(n: number): WireRecord {
  const gameId = GAMES[n % GAMES.length] as string;
  const kinds: WireRecord["kind"][] = [
    {
      $case: "performanceHistory",
      value: { gameId, score: n, winRate: 0.5, learningEfficiency: undefined, metadataJson: `{"n":${n}}` },
    },
    {
      $case: "sessionHistory",
      value: {
        gameId,
        status: "WIN",
        durationSeconds: 1.5,
        actionsTaken: BigInt(n),
        score: n,
        win: true,
        metadataJson: undefined,
      },
    },
    {
      $case: "actionTracking",
      value: {
        gameId,
        actionType: "ACTION6",
        actionSequenceJson: "[1,6]",
        effectiveness: 0.25,
        contextJson: undefined,
      },
    },
    { $case: "scoreHistory", value: { gameId, score: n, scoreType: undefined } },
    {
      $case: "coordinateTracking",
      value: { gameId, coordinateX: n, coordinateY: -1, actionType: "ACTION6", success: false, contextJson: undefined },
    },
    {
      $case: "frameTracking",
      value: { gameId, frameHash: `h${n}`, frameAnalysisJson: undefined, stagnationDetected: true },
    },
  ];
  return { eventTimeUs: BigInt(BASE_US + n * 1_000_000), kind: kinds[Math.floor(n / GAMES.length) % 6] };
}

const RECORDS = 4_800;

async function fill({ store }: StoreFixture): Promise<void> {
  for (const sessionId of SESSIONS) {
    const writer = await Writer.open(store, { sessionId });
    for (let from = 0; from < RECORDS; from += 1_200) {
      await writer.commit(
        batchOf(
          from + 1,
          Array.from({ length: 1_200 }, (_, index) => recordEntry(record(from + index))),
        ),
      );
    }
  }
  const other = await Writer.open(store, { namespace: "other", sessionId: "run-1" });
  await other.commit(
    batchOf(
      1,
      Array.from({ length: 600 }, (_, index) => recordEntry(record(index))),
    ),
  );
}

/** Names of the indexes by which a statement is answered; `scan` where a table is read whole. */
async function indexesOf({ sql, dialect }: StoreFixture, statement: string): Promise<string[]> {
  if (dialect === "sqlite") {
    const steps = await sql(`EXPLAIN QUERY PLAN ${statement}`);
    return steps.map(({ detail }) => /USING (?:COVERING )?INDEX (\w+)/.exec(String(detail))?.[1] ?? String(detail));
  }
  // Newer MySQL servers answer with a tree unless told.
  const rows = await sql(`EXPLAIN FORMAT=TRADITIONAL ${statement}`).catch(() => sql(`EXPLAIN ${statement}`));
  return rows.map((row) => (row["type"] === "ALL" || row["type"] === "index" ? "scan" : String(row["key"])));
}

const QUESTIONS: readonly [string, string, string][] = [
  [
    "newest of a session",
    "SELECT score FROM performance_history WHERE session_id = 'run-2' ORDER BY timestamp DESC LIMIT 20",
    "performance_history_rows_by_session",
  ],
  [
    "newest games of a session",
    "SELECT status, actions_taken, score, win FROM session_history WHERE session_id = 'run-2' ORDER BY timestamp DESC LIMIT 100",
    "session_history_rows_by_session",
  ],
  [
    "newest actions of a game",
    "SELECT action_type, action_sequence, effectiveness FROM action_tracking WHERE game_id = 'ft09' ORDER BY timestamp DESC LIMIT 1000",
    "action_tracking_rows_by_game",
  ],
  [
    "newest scores of a game",
    "SELECT score, score_type FROM score_history WHERE game_id = 'ft09' ORDER BY timestamp DESC LIMIT 20",
    "score_history_rows_by_game",
  ],
  [
    "coordinates of a game",
    "SELECT coordinate_x, coordinate_y, success FROM coordinate_tracking WHERE game_id = 'ft09' ORDER BY timestamp DESC LIMIT 500",
    "coordinate_tracking_rows_by_game",
  ],
  [
    "frames of a game",
    "SELECT frame_hash, stagnation_detected FROM frame_tracking WHERE game_id = 'ft09' ORDER BY timestamp DESC LIMIT 50",
    "frame_tracking_rows_by_game",
  ],
  [
    "a session since a time",
    "SELECT score FROM performance_history WHERE session_id = 'run-2' AND timestamp > '2026-01-01 01:00:00'",
    "performance_history_rows_by_session",
  ],
  [
    "a game in a time",
    "SELECT score FROM score_history WHERE game_id = 'ft09' AND timestamp > '2026-01-01 00:10:00' AND timestamp < '2026-01-01 00:20:00'",
    "score_history_rows_by_game",
  ],
  [
    "how many of a session",
    "SELECT COUNT(*) AS n FROM performance_history WHERE session_id = 'run-2'",
    "performance_history_rows_by_session",
  ],
];

everyStore((fixture) => {
  beforeAll(async () => {
    let opened: StoreFixture;
    try {
      opened = fixture();
    } catch {
      return; // No such store here: its tests are skipped.
    }
    await fill(opened);
    const tables = QUESTIONS.map(([, , index]) => index.replace(/_by_\w+$/, ""));
    if (opened.dialect === "mysql") await opened.sql(`ANALYZE TABLE ${[...new Set(tables)].join(", ")}`);
  });

  describe("is answered from an index", () => {
    test.each(QUESTIONS)("%s", async (_, statement, index) => {
      expect(await indexesOf(fixture(), statement)).toEqual([index]);
      expect((await fixture().sql(statement)).length).toBeGreaterThan(0);
    });
  });

  test("the newest of a session, newest first", async () => {
    const rows = await fixture().sql(
      "SELECT score, timestamp FROM performance_history WHERE session_id = 'run-3' ORDER BY timestamp DESC LIMIT 20",
    );
    const own = Array.from({ length: RECORDS }, (_, n) => n).filter((n) => Math.floor(n / GAMES.length) % 6 === 0);
    expect(rows.map(({ score }) => score)).toEqual(own.slice(-20).reverse());
    expect(rows.map(({ timestamp }) => String(timestamp).slice(0, 19))).toEqual(
      own
        .slice(-20)
        .reverse()
        .map((n) => new Date(BASE_US / 1_000 + n * 1_000).toISOString().slice(0, 19).replace("T", " ")),
    );
  });

  test("counts are those of the default namespace", async () => {
    const { sql } = fixture();
    for (const table of [
      "performance_history",
      "session_history",
      "action_tracking",
      "score_history",
      "coordinate_tracking",
      "frame_tracking",
    ]) {
      const [row] = await sql(`SELECT COUNT(*) AS n FROM ${table}`);
      expect(Number(row?.["n"])).toBe((SESSIONS.length * RECORDS) / 6);
      const [part] = await sql(
        `SELECT COUNT(*) AS n FROM ${table} WHERE timestamp > '2026-01-01 00:30:00' AND timestamp < '2027-01-01'`,
      );
      expect(Number(part?.["n"])).toBeGreaterThan(0);
      expect(Number(part?.["n"])).toBeLessThan((SESSIONS.length * RECORDS) / 6);
    }
  });

  test("each has the earlier system's columns first, in its order, with its values", async () => {
    const { sql } = fixture();
    const first = async (table: string) =>
      (await sql(`SELECT * FROM ${table} WHERE game_id = 'ls20' ORDER BY timestamp LIMIT 1`))[0] ?? {};
    const columns: Record<string, string> = {
      performance_history: "id session_id game_id score win_rate learning_efficiency timestamp metadata created_at",
      session_history:
        "id session_id game_id status duration_seconds actions_taken score win timestamp metadata created_at",
      action_tracking: "id game_id action_type action_sequence effectiveness context timestamp created_at",
      score_history: "id game_id session_id score score_type timestamp created_at",
      coordinate_tracking: "id game_id coordinate_x coordinate_y action_type success context timestamp created_at",
      frame_tracking: "id game_id frame_hash frame_analysis stagnation_detected timestamp created_at",
    };
    for (const [table, names] of Object.entries(columns)) {
      const found = Object.keys(await first(table));
      expect(found.slice(0, names.split(" ").length).join(" ")).toBe(names);
    }
    expect(await first("performance_history")).toMatchObject({
      score: 0,
      win_rate: 0.5,
      learning_efficiency: null,
      metadata: '{"n":0}',
    });
    expect(await first("coordinate_tracking")).toMatchObject({
      coordinate_x: 16,
      coordinate_y: -1,
      success: 0,
      context: null,
    });
    const created = String((await first("score_history"))["created_at"]);
    expect(Math.abs(Date.parse(`${created.replace(" ", "T").slice(0, 19)}Z`) - Date.now())).toBeLessThan(600_000);
  });

  test("JSON functions read the payloads", async () => {
    const { sql, dialect } = fixture();
    const value = dialect === "sqlite" ? "json_extract(metadata, '$.n')" : "JSON_EXTRACT(metadata, '$.n')";
    const rows = await sql(
      `SELECT ${value} AS n FROM performance_history WHERE session_id = 'run-1' ORDER BY timestamp DESC LIMIT 1`,
    );
    expect(Number(rows[0]?.["n"])).toBe(4_779);
  });
});
