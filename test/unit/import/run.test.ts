import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FileReport, ItemRefused, planImport, runImport } from "../../../server/src/import/index.js";
import { FILE_BYTES_MAX, ITEMS_IN_FLIGHT_MAX } from "../../../server/src/import/limits.js";
import { MemoryTarget } from "./memory-target.js";
import { episode, session, sourceFolder } from "./source-folder.js";

const FILES = {
  "counters.json": { cycles: 1 },
  "notes.txt": "hello",
  "sessions/session_session_1_final.json": session("s1", 1, [episode(1), episode(2)]),
  "sessions/master_training_results_1.json": { results: session("s1", 1, [episode(1), episode(2)]), mode: "x" },
  "torn.json": '{"a": 1, "b',
};

async function importInto(target: MemoryTarget, folder: string) {
  const reports: FileReport[] = [];
  const summary = await runImport(planImport(folder), target, (report) => reports.push(report));
  const statuses = Object.fromEntries(reports.map(({ path, status }) => [path, status]));
  return { summary, statuses };
}

describe("running an import", () => {
  test("accounts for every file and record", async () => {
    const { summary, statuses } = await importInto(new MemoryTarget(), await sourceFolder(FILES));
    expect(statuses).toEqual({
      "counters.json": "state document",
      "notes.txt": "not ours",
      "sessions/master_training_results_1.json": "imported",
      "sessions/session_session_1_final.json": "already imported",
      "torn.json": "torn and salvaged",
    });
    expect(summary).toMatchObject({
      fileCount: 5,
      filesByStatus: { imported: 1, "already imported": 1, "state document": 1, "torn and salvaged": 1, "not ours": 1 },
      newRecords: { session_history: 2, score_history: 4, performance_history: 3 },
      knownRecords: { session_history: 2, score_history: 4, performance_history: 2 },
      statesWritten: 2,
      statesUnchanged: 0,
    });
    expect(summary.remarkable.map(({ path }) => path)).toEqual(["notes.txt", "torn.json"]);
  });

  test("again adds nothing", async () => {
    const target = new MemoryTarget();
    const folder = await sourceFolder(FILES);
    await importInto(target, folder);
    const [itemCount, stateCount] = [target.items.size, target.states.size];
    const { summary, statuses } = await importInto(target, folder);
    expect(summary).toMatchObject({ newRecords: {}, statesWritten: 0, statesUnchanged: 2 });
    expect([target.items.size, target.states.size]).toEqual([itemCount, stateCount]);
    expect(statuses["counters.json"]).toBe("already imported");
    expect(statuses["torn.json"]).toBe("torn and salvaged");
  });

  test("never has more items in flight than it says", async () => {
    const target = new MemoryTarget();
    const episodes = Array.from({ length: 500 }, (_, index) => episode(index));
    await importInto(target, await sourceFolder({ "session_session_1_final.json": session("s1", 1, episodes) }));
    expect(target.items.size).toBe(501);
    expect(target.inFlightMax).toBe(ITEMS_IN_FLIGHT_MAX);
  });

  test("goes on past an item that the target will never take, and says which file it was", async () => {
    const target = new MemoryTarget();
    const write = target.writeItem.bind(target);
    target.writeItem = (item) => (item.kind === "run" ? Promise.reject(new ItemRefused("not this one")) : write(item));
    const { summary, statuses } = await importInto(target, await sourceFolder(FILES));
    expect(statuses["sessions/master_training_results_1.json"]).toBe("failed");
    expect(summary.remarkable).toContainEqual(
      expect.objectContaining({ path: "sessions/master_training_results_1.json", failure: "not this one" }),
    );
    expect(summary.newRecords).toEqual({ session_history: 2, score_history: 4, performance_history: 2 });
  });

  test("names a file that it cannot read, and takes the others", async () => {
    const folder = await sourceFolder(FILES);
    const tooLarge = await open(join(folder, "large.json"), "w");
    await tooLarge.truncate(FILE_BYTES_MAX + 1);
    await tooLarge.close();
    const { summary, statuses } = await importInto(new MemoryTarget(), folder);
    expect(statuses["large.json"]).toBe("failed");
    expect(summary).toMatchObject({ fileCount: 6, filesByStatus: { failed: 1, imported: 1 } });
  });

  test("ends with the error of a target that went away", async () => {
    const target = new MemoryTarget();
    let calls = 0;
    target.writeItem = async () => {
      calls += 1;
      await new Promise(setImmediate);
      throw new Error("gone");
    };
    const episodes = Array.from({ length: 500 }, (_, index) => episode(index));
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `session_session_${index}_final.json`,
        session(`s${index}`, 1, episodes),
      ]),
    );
    await expect(importInto(target, await sourceFolder(files))).rejects.toThrow("gone");
    expect(calls).toBe(ITEMS_IN_FLIGHT_MAX);
  });
});
