// The real files of the earlier system, where they lie beside the repository. What is expected is counted here from the
// files themselves, with nothing but JSON.parse.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type FilePlan, type FileReport, planImport, runImport } from "../../../server/src/import/index.js";
import { MemoryTarget } from "./memory-target.js";
import { refusals } from "./refusals.js";

const SHARED = resolve(process.env["TAILKEEP_SHARED_DIR"] || join(import.meta.dirname, "../../../../shared"));
const FOLDER = join(SHARED, "legacy-data", "data");

// biome-ignore lint/suspicious/noExplicitAny: an independent count must not share the typed readers it checks
type Loose = { [key: string]: any };

function counted() {
  const files = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const torn: Record<string, number> = {};
  const episodes = new Map<string, Loose>();
  const sessions = new Set<string>();
  const results: Loose[] = [];
  const intelligence: Loose[] = [];
  for (const file of files) {
    const bytes = readFileSync(file);
    let root: Loose;
    try {
      root = JSON.parse(bytes.toString()) as Loose;
    } catch {
      torn[file.slice(FOLDER.length + 1)] = bytes.length;
      continue;
    }
    if (basename(file).startsWith("session_unknown_")) results.push(root);
    if (basename(file).startsWith("action_intelligence_")) intelligence.push(root);
    const isNamed = /^(session_session_|master_training_results_)/.test(basename(file));
    const visit = (value: unknown, sessionId: string): void => {
      if (typeof value !== "object" || value === null) return;
      const object = value as Loose;
      const id: string = object["session_id"] ?? sessionId;
      if (object["games_played"] && (isNamed || JSON.stringify(object).includes('"final_score"'))) {
        sessions.add(`${id} ${object["start_time"]}`);
      }
      for (const each of Array.isArray(object["episodes"]) ? object["episodes"] : []) {
        if (each?.timestamp) episodes.set(`${id} ${each["game_id"]} ${each["timestamp"]}`, each);
      }
      for (const member of Object.values(object)) visit(member, id);
    };
    visit(root, "");
  }
  return { files, torn, episodes: [...episodes.values()], sessions, results, intelligence };
}

describe.skipIf(!existsSync(FOLDER))("the real files (skipped unless ../shared/legacy-data is there)", () => {
  test("are all accounted for, with the counts that a plain reading finds", async () => {
    const expected = counted();
    const plans: FilePlan[] = [];
    const watched = async function* () {
      for await (const file of planImport(FOLDER)) {
        plans.push(file);
        yield file;
      }
    };
    const target = new MemoryTarget();
    const reports: FileReport[] = [];
    const summary = await runImport(watched(), target, (report) => reports.push(report));

    expect(summary.fileCount).toBe(expected.files.length);
    expect(new Set(reports.map(({ path }) => join(FOLDER, path)))).toEqual(new Set(expected.files));
    expect(summary.filesByStatus).toMatchObject({ "not ours": 0, failed: 0 });
    const torn = reports.flatMap((report) => (report.torn ? [[report.path, report.torn.atByte] as const] : []));
    expect(Object.fromEntries(torn)).toEqual(expected.torn);
    expect(plans.flatMap(({ notes }) => notes)).toEqual([]);

    const { episodes, results, intelligence } = expected;
    const actions = [
      ...episodes.map((each) => each["effective_actions"]),
      ...results.map((each) => each["session_result"]["effective_actions"]),
    ].flat();
    const sequences = episodes.flatMap((each) => each["action_sequences"]["sequences"]);
    const learnedActions = intelligence.flatMap((each) => Object.values(each["effective_actions"]));
    const learnedCoordinates = intelligence.flatMap((each) =>
      Object.values(each["coordinate_patterns"]).flatMap((of) => Object.values(of as Loose)),
    );
    expect(summary.newRecords).toMatchObject({
      session_history: episodes.length + results.length,
      score_history: 2 * episodes.length + results.length,
      action_tracking: actions.length + sequences.length + learnedActions.length,
      coordinate_tracking: actions.filter((each) => each["coordinates"]).length + learnedCoordinates.length,
    });
    expect(summary.newRecords.frame_tracking).toBeUndefined();
    expect(summary.rejectedRecords).toBe(0);

    const items = [...target.items.values()];
    expect(items.filter(({ kind }) => kind === "episode")).toHaveLength(episodes.length);
    const wholeSessions = new Set(
      items
        .filter(({ kind }) => kind === "session")
        .flatMap(({ records }) => records)
        .flatMap((record) =>
          record.type === "performance_history" && !record.gameId ? [record.metadata as Loose] : [],
        )
        .map((metadata) => `${metadata["session_id"]} ${metadata["start_time"]}`),
    );
    expect([...expected.sessions].filter((each) => !wholeSessions.has(each))).toEqual([]);

    expect(refusals(items)).toEqual([]);

    const repeat = await runImport(planImport(FOLDER), target);
    expect(repeat).toMatchObject({ newRecords: {}, statesWritten: 0, statesUnchanged: summary.statesWritten });
    expect(repeat.filesByStatus).toMatchObject({ imported: 0, "state document": 0, "torn and salvaged": torn.length });
  });
});
