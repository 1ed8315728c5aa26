// A recorder that is switched off: containers work, and nothing is counted, sent or written.
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseBoundedDict, DatabaseBoundedList, openRecorder } from "@tailkeep/client";
import { expect, onTestFinished, test } from "vitest";
import { resolveRecorderOptions } from "../../../client/src/recorder/options.js";
import { temporaryFolder } from "../../support/in-process-server.js";

const NOTHING = { appended: 0, durable: 0, pending: 0, rejected: 0 };

/** A port, and how often somebody came to it. */
async function listener(): Promise<{ address: string; visits: () => number }> {
  let visits = 0;
  const server = createServer((socket) => {
    visits++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, visits: () => visits };
}

test("containers keep their items, and nobody hears of them", async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const { address, visits } = await listener();
  const spill = join(folder.path, "spill");
  const recorder = openRecorder({ server: address, recording: false, spill: { folder: spill }, spillAfterMs: 0 });
  const list = new DatabaseBoundedList("score_history", { capacity: 3, recorder });
  const dict = new DatabaseBoundedDict("frame_tracking", { recorder });
  for (let score = 0; score < 1_000; score++) list.append({ score, scoreType: "current" });
  list.append(throwing());
  dict.set("f1", { stagnationDetected: true });
  expect(recorder.append({ type: "score_history", score: 1 })).toBe("off");
  expect(list.length).toBe(3);
  expect(dict.get("f1")).toEqual({ stagnationDetected: true });
  await recorder.flush({ timeoutMs: 1_000 });
  expect(recorder.ledger).toMatchObject(NOTHING);
  expect(await recorder.close()).toMatchObject(NOTHING);
  expect(visits()).toBe(0);
  expect(existsSync(spill)).toBe(false);
});

test("the environment switches it off, the program comes before it", () => {
  const off = { TAILKEEP_RECORDING: "off" };
  expect(resolveRecorderOptions({}, {}).recording).toBe(true);
  expect(resolveRecorderOptions({}, off)).toMatchObject({ recording: false, spill: undefined });
  expect(resolveRecorderOptions({ recording: true }, off).recording).toBe(true);
  expect(() => resolveRecorderOptions({}, { TAILKEEP_RECORDING: "maybe" })).toThrow(
    'TAILKEEP_RECORDING: "maybe" is neither true nor false',
  );
});

function throwing(): { score: number } {
  return {
    get score(): number {
      throw new Error("a getter of the trainer");
    },
  };
}
