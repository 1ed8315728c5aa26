import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FilePlan, planImport } from "../../../server/src/import/index.js";
import * as importLimits from "../../../server/src/import/limits.js";
import * as serverLimits from "../../../server/src/limits.js";
import { refusals } from "./refusals.js";
import { episode, type Files, GAME, session, sourceFolder } from "./source-folder.js";

async function plan(files: Files): Promise<FilePlan[]> {
  const plans: FilePlan[] = [];
  for await (const file of planImport(await sourceFolder(files))) plans.push(file);
  return plans;
}

const recordsOf = (file: FilePlan | undefined) => file?.items.flatMap((item) => item.records) ?? [];
const streamIds = (file: FilePlan | undefined) => file?.items.map((item) => item.streamId) ?? [];

test("an import knows the same limits as the server", () => {
  const { ID_CHARS_MAX, JSON_BYTES_MAX, JSON_DEPTH_MAX, BATCH_ENTRIES_MAX, BATCH_BYTES_MAX } = serverLimits;
  const { STATE_NAME_CHARS_MAX, STATE_BYTES_MAX } = serverLimits;
  expect({ ...importLimits }).toMatchObject({
    ID_CHARS_MAX,
    JSON_BYTES_MAX,
    JSON_DEPTH_MAX,
    BATCH_ENTRIES_MAX,
    BATCH_BYTES_MAX,
    STATE_NAME_CHARS_MAX,
    STATE_BYTES_MAX,
  });
});

describe("an episode", () => {
  const played = episode(1_700_000_000.25, {
    effective_actions: [
      { action_type: "ACTION6", effectiveness: 0.5, score_improvement: 1, coordinates: [4, 9] },
      { action_type: "ACTION2", effectiveness: 0.1, coordinates: null },
    ],
    action_sequences: { sequences: [[{ action_type: "ACTION2" }]], patterns: [{ avg_effectiveness: 0.75 }] },
  });

  test("fills the columns and is kept whole", async () => {
    const [file] = await plan({ "session_session_1_final.json": session("s1", 1_700_000_000, [played]) });
    expect(file).toMatchObject({ kind: "session results", states: [], repeated: {}, notes: [] });
    const item = file?.items.find(({ kind }) => kind === "episode");
    const common = { gameId: GAME, eventTimeUs: 1_700_000_000_250_000 };
    expect(item?.sessionId).toBe("s1");
    expect(item?.records).toEqual([
      {
        type: "session_history",
        ...common,
        status: "GAME_OVER",
        durationSeconds: 1.5,
        actionsTaken: 12,
        score: 3,
        win: false,
        metadata: played,
      },
      { type: "score_history", ...common, score: 3, scoreType: "final" },
      { type: "score_history", ...common, score: 5, scoreType: "best" },
      {
        type: "action_tracking",
        ...common,
        actionType: "ACTION6",
        effectiveness: 0.5,
        context: { action_type: "ACTION6", effectiveness: 0.5, score_improvement: 1, coordinates: [4, 9] },
      },
      {
        type: "coordinate_tracking",
        ...common,
        coordinateX: 4,
        coordinateY: 9,
        actionType: "ACTION6",
        success: true,
        context: { action_type: "ACTION6", effectiveness: 0.5, score_improvement: 1, coordinates: [4, 9] },
      },
      {
        type: "action_tracking",
        ...common,
        actionType: "ACTION2",
        effectiveness: 0.1,
        context: { action_type: "ACTION2", effectiveness: 0.1, coordinates: null },
      },
      {
        type: "action_tracking",
        ...common,
        actionSequence: [{ action_type: "ACTION2" }],
        effectiveness: 0.75,
        context: { avg_effectiveness: 0.75 },
      },
    ]);
  });

  test("is one item, however often its file and others hold it; the first file wins", async () => {
    const files = await plan({
      "b/master_training_results_1700000010.json": {
        success: true,
        results: session("s1", 1_700_000_000, [episode(1_700_000_001, { final_score: 99 })]),
        timestamp: "2023-11-14T22:13:30.5",
      },
      "a/session_session_1_final.json": session("s1", 1_700_000_000, [episode(1_700_000_001)]),
    });
    expect(files.map(({ path }) => path)).toEqual([
      "a/session_session_1_final.json",
      "b/master_training_results_1700000010.json",
    ]);
    expect(files[0]?.items.map(({ kind }) => kind)).toEqual(["episode", "session"]);
    expect(files[1]?.items.map(({ kind }) => kind)).toEqual(["run"]);
    expect(files[1]?.repeated).toEqual({ session_history: 1, score_history: 2, performance_history: 2 });
    expect(recordsOf(files[0])[0]).toMatchObject({ score: 3 });
  });

  test("is another one in another session, game or moment, and without a moment by its content", async () => {
    const ids = new Set<string>();
    const variants: [string, object][] = [
      ["s1", episode(1)],
      ["s2", episode(1)],
      ["s1", episode(2)],
      ["s1", episode(1, { game_id: "other" })],
      ["s1", episode(1, { timestamp: null })],
      ["s1", episode(1, { timestamp: null, final_score: 4 })],
    ];
    for (const [id, each] of variants) {
      const [file] = await plan({ "session_session_1_final.json": session(id, 1, [each]) });
      const again = await plan({ "elsewhere/session_session_2_final.json": session(id, 1, [each]) });
      expect(streamIds(file)).toEqual(streamIds(again[0]));
      ids.add(`${file?.items[0]?.sessionId} ${file?.items[0]?.streamId}`);
    }
    expect(ids.size).toBe(variants.length);
  });

  test("with fields of other kinds than expected is imported with what is right", async () => {
    const odd = { ...episode(1), final_score: "high", actions_taken: 1.5, game_state: 7, success: "no", game_id: null };
    const [file] = await plan({ "session_session_1_final.json": session("s1", 1, [odd]) });
    expect(recordsOf(file)[0]).toEqual({
      type: "session_history",
      gameId: GAME,
      eventTimeUs: 1_000_000,
      durationSeconds: 1.5,
      metadata: odd,
    });
  });

  test("that is too large keeps what fits and says so", async () => {
    const large = episode(1, { log: "x".repeat(400_000) });
    const [file] = await plan({ "session_session_1_final.json": session("s1", 1, [large]) });
    expect(file?.notes).toEqual([`episode of ${GAME}: left out log, beyond 262144 bytes or 64 levels`]);
    const metadata = recordsOf(file)[0] as { metadata: object };
    expect(Buffer.byteLength(JSON.stringify(metadata.metadata))).toBeLessThanOrEqual(262_144);
    expect(metadata.metadata).toMatchObject({ final_score: 3, timestamp: 1 });
    expect(refusals(file?.items ?? [])).toEqual([]);
  });

  test("with more than a batch of records becomes several streams, cut at the same places each time", async () => {
    const actions = Array.from({ length: 5_000 }, (_, index) => ({
      action_type: `ACTION${index % 7}`,
      effectiveness: index,
    }));
    const files = { "session_session_1_final.json": session("s1", 1, [episode(1, { effective_actions: actions })]) };
    const [file] = await plan(files);
    const items = file?.items.filter(({ kind }) => kind === "episode") ?? [];
    expect(items.length).toBeGreaterThan(1);
    expect(refusals(items)).toEqual([]);
    expect(items.flatMap(({ records }) => records).filter(({ type }) => type === "action_tracking")).toHaveLength(
      5_000,
    );
    expect(streamIds((await plan(files))[0])).toEqual(streamIds(file));
  });
});

describe("a session", () => {
  test("keeps its aggregates, those of its games, and everything around its episodes", async () => {
    const [file] = await plan({ "session_session_1_final.json": session("s1", 100, [episode(101), episode(102)]) });
    const item = file?.items.find(({ kind }) => kind === "session");
    const game = {
      game_id: GAME,
      episodes: [{ imported_episodes: 2 }],
      performance_metrics: { win_rate: 0.25, average_score: 3, best_score: 5 },
    };
    expect(item?.records).toEqual([
      {
        type: "performance_history",
        eventTimeUs: 110_000_000,
        score: 3,
        winRate: 0.25,
        learningEfficiency: 0.5,
        metadata: {
          ...session("s1", 100, []),
          games_played: { [GAME]: game },
          swarm_results: { games_completed: { [GAME]: game } },
        },
      },
      {
        type: "performance_history",
        gameId: GAME,
        eventTimeUs: 110_000_000,
        score: 3,
        winRate: 0.25,
        metadata: game.performance_metrics,
      },
    ]);
  });

  test("of which two began in one second are two", async () => {
    const [file] = await plan({
      "master_training_results_1700000010.json": {
        session_id: "master_1",
        session_results: [
          {
            session: 1,
            performance: { win_rate: 0.2, avg_score: 30 },
            training_result: { results: session("s1", 100.1, []) },
          },
          {
            session: 2,
            performance: { win_rate: 0.4, learning_efficiency: 0.8 },
            training_result: { results: session("s1", 100.6, []) },
          },
        ],
      },
    });
    expect(file?.items.map(({ kind, sessionId }) => `${kind} ${sessionId}`)).toEqual([
      "session s1",
      "session s1",
      "run master_1",
    ]);
    const run = file?.items.at(-1)?.records ?? [];
    expect(run).toMatchObject([
      { eventTimeUs: 110_600_000, metadata: { session_id: "master_1" } },
      { score: 30, winRate: 0.2, metadata: { session: 1, training_result: { results: { imported_session: "s1" } } } },
      { winRate: 0.4, learningEfficiency: 0.8 },
    ]);
  });

  test("whose run failed is kept under the name of its file", async () => {
    const [file] = await plan({ "x/master_training_results_1700000010.json": { success: false, error: "no games" } });
    expect(file?.items).toMatchObject([
      {
        kind: "run",
        sessionId: "master_training_results_1700000010",
        records: [
          {
            type: "performance_history",
            eventTimeUs: 1_700_000_010_000_000,
            metadata: { success: false, error: "no games" },
          },
        ],
      },
    ]);
  });

  test("under another file name counts as one if it has episodes", async () => {
    const files = await plan({
      "report.json": { performance_history: [{ results: session("s1", 1, [episode(1)]) }], config: { mode: "x" } },
      "empty_report.json": { performance_history: [{ results: session("s1", 1, []) }] },
    });
    expect(files.map(({ path, kind }) => `${path}: ${kind}`)).toEqual([
      "empty_report.json: state document",
      "report.json: session results",
    ]);
    expect(files[1]?.items.at(-1)?.records[0]).toMatchObject({ metadata: { config: { mode: "x" } } });
  });
});

test("a loose result becomes a session of its own, named as its file", async () => {
  const result = {
    game_id: "unknown",
    timestamp: 1_700_000_000,
    session_result: {
      final_score: 1,
      total_actions: 26,
      final_state: "GAME_OVER",
      effective_actions: [{ action_number: 3, action_type: "ACTION3", effectiveness: 0.5, attempt_count: 14 }],
    },
    raw_output_snippet: "OK",
  };
  const [file] = await plan({ "session_unknown_1700000000.json": result });
  const common = { gameId: "unknown", eventTimeUs: 1_700_000_000_000_000 };
  expect(file?.items).toMatchObject([{ kind: "result", sessionId: "session_unknown_1700000000" }]);
  expect(recordsOf(file)).toEqual([
    { type: "session_history", ...common, status: "GAME_OVER", actionsTaken: 26, score: 1, metadata: result },
    { type: "score_history", ...common, score: 1, scoreType: "final" },
    {
      type: "action_tracking",
      ...common,
      actionType: "ACTION3",
      effectiveness: 0.5,
      context: result.session_result.effective_actions[0],
    },
  ]);
});

test("action intelligence becomes records and stays a document", async () => {
  const learned = {
    game_id: GAME,
    effective_actions: { "6": { success_rate: 0.5, attempts: 4, successes: 2 } },
    coordinate_patterns: { "6": { "4,9": { attempts: 1, successes: 0 }, elsewhere: {} } },
    action_transitions: { "((6,), 6, (6,))": 3 },
    winning_sequences: [[6, 6, 2]],
    last_updated: 1_700_000_000.5,
  };
  const [file] = await plan({ [`intelligence/action_intelligence_${GAME}.json`]: learned });
  const common = { gameId: GAME, eventTimeUs: 1_700_000_000_500_000 };
  expect(file).toMatchObject({ kind: "action intelligence", items: [{ sessionId: "unknown" }] });
  expect(file?.states).toEqual([
    { name: `legacy/intelligence/action_intelligence_${GAME}`, value: learned, torn: false },
  ]);
  expect(file?.notes).toEqual(['coordinate "elsewhere" is not "x,y": only in the state document']);
  expect(recordsOf(file)).toEqual([
    {
      type: "action_tracking",
      ...common,
      actionType: "ACTION6",
      effectiveness: 0.5,
      context: { success_rate: 0.5, attempts: 4, successes: 2 },
    },
    {
      type: "coordinate_tracking",
      ...common,
      coordinateX: 4,
      coordinateY: 9,
      actionType: "ACTION6",
      success: false,
      context: { attempts: 1, successes: 0 },
    },
    { type: "action_tracking", ...common, actionSequence: [6, 6, 2], context: { from: "winning_sequences" } },
  ]);
});

describe("any other JSON", () => {
  test("is a state document named by its place", async () => {
    const files = await plan({ "config/global_counters.json": { cycles: 3 }, "list.JSON": [], "n.json": "4" });
    expect(files.flatMap(({ states }) => states)).toEqual([
      { name: "legacy/config/global_counters", value: { cycles: 3 }, torn: false },
      { name: "legacy/list", value: [], torn: false },
      { name: "legacy/n", value: 4, torn: false },
    ]);
  });

  test("of more than a document's size is split by its members", async () => {
    const big = "y".repeat(700_000);
    const [file] = await plan({ "memory.json": { one: big, two: big, three: 3 } });
    expect(file?.states.map(({ name }) => name)).toEqual([
      "legacy/memory/one",
      "legacy/memory/two",
      "legacy/memory/three",
    ]);
    expect(file?.notes).toHaveLength(1);
  });
});

describe("torn and foreign files", () => {
  test("are salvaged after all whole ones, so that a whole copy wins", async () => {
    const text = JSON.stringify(session("s1", 1, [episode(1), episode(2)]));
    const tear = text.indexOf('"timestamp":2');
    const files = await plan({
      "a/session_session_1_final.json": text.slice(0, tear),
      "b/session_session_1_final.json": text.replace('"final_score":3', '"final_score":4'),
    });
    expect(files.map(({ path }) => path)).toEqual(["b/session_session_1_final.json", "a/session_session_1_final.json"]);
    expect(files[1]?.torn).toEqual({ atByte: tear, salvaged: true });
    expect(files[1]?.repeated).toMatchObject({ session_history: 1 });
  });

  test("that are empty are torn at 0, those that never were JSON are not ours", async () => {
    const files = await plan({
      "empty.json": "",
      "zeros.json": Buffer.alloc(4_096),
      "readme.md": "# hello",
      "text.json": "hello",
      "session_session_1_final.json": "}",
      "half.json": '{"a": [1, 2',
    });
    expect(files.map(({ path, kind, torn }) => [path, kind, torn])).toEqual([
      ["readme.md", "not ours", undefined],
      ["empty.json", "state document", { atByte: 0, salvaged: false }],
      ["half.json", "state document", { atByte: 11, salvaged: true }],
      ["session_session_1_final.json", "session results", { atByte: 0, salvaged: false }],
      ["text.json", "not ours", undefined],
      ["zeros.json", "state document", { atByte: 0, salvaged: false }],
    ]);
    expect(files.find(({ path }) => path === "half.json")?.states).toEqual([
      { name: "legacy/half", value: { a: [1] }, torn: true },
    ]);
  });

  test("with hostile names, ids and nesting do no harm", async () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const files = await plan({
      "deep.json": deep,
      "session_session_x_final.json": `{"session_id": " a\\u0000b\\ud800 ${"z".repeat(300)}", "games_played": {"${"g".repeat(200)}": {"episodes": [{"nested": ${deep}}]}}}`,
      [`${"n".repeat(120)}/${"m".repeat(120)}/${"o".repeat(120)}.json`]: {},
    });
    for (const { items, states } of files) {
      for (const { sessionId, streamId, records } of items) {
        for (const id of [sessionId, streamId, ...records.map(({ gameId }) => gameId ?? "unknown")]) {
          expect(id.length).toBeLessThanOrEqual(128);
          expect(id).toMatch(/^\S(.*\S)?$/u);
          expect(id).not.toMatch(/\p{Cc}|\p{Cs}/u);
        }
      }
      for (const { name } of states) expect(name.length).toBeLessThanOrEqual(256);
    }
    const items = files.flatMap((file) => file.items);
    expect(items.some(({ kind }) => kind === "episode")).toBe(true);
    expect(refusals(items)).toEqual([]);
    expect(files.every(({ failure }) => failure === undefined)).toBe(true);
  });
});

test("whatever a file has in place of what is expected, nothing is thrown and the server takes what comes out", async () => {
  const json = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(1e300, -0.5, "\u0000", " x ", "z".repeat(200)));
  const keys = ["session_id", "start_time", "end_time", "games_played", "episodes", "overall_performance", "timestamp"];
  const inner = fc.dictionary(
    fc.constantFrom(...keys, "game_id", "final_score", "effective_actions", "last_updated"),
    json,
  );
  const root = fc.dictionary(
    fc.constantFrom(...keys, "session_results", "session_result", "results"),
    fc.oneof(json, inner),
  );
  const names = [
    "session_session_1_final",
    "master_training_results_1",
    "session_unknown_1",
    "action_intelligence_x",
    "x",
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), root, fc.array(inner), async (name, report, episodes) => {
      const within = { ...report, games_played: { g: { episodes } } };
      const folder = await sourceFolder({ [`${name}.json`]: report, [`within/${name}.json`]: { results: within } });
      for await (const file of planImport(folder)) {
        expect(file.failure).toBeUndefined();
        expect(refusals(file.items)).toEqual([]);
        for (const { sessionId, streamId } of file.items) expect(`${sessionId}${streamId}`).not.toMatch(/\p{Cc}/u);
      }
    }),
    { numRuns: 150 },
  );
});
