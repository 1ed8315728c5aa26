// A MySQL server that takes only small packets: statements are cut to its size, and what still does not fit waits alone.

import { openStore } from "@tailkeep/server/dist/store/open-store.js";
import type { Store } from "@tailkeep/server/dist/store/store.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DatabaseServer, isSkipped, type Skipped, startMysqlFamily } from "../support/databases/index.js";
import { batchOf, recordEntry, score } from "../support/records/batches.js";
import { Writer } from "./support/writer.js";

let server: DatabaseServer | Skipped;
let store: Store;

beforeAll(async () => {
  server = await startMysqlFamily({ private: true, serverArguments: ["--max-allowed-packet=1048576"] });
  if (isSkipped(server)) return;
  const url = server.url(await server.createDatabase());
  store = openStore({ store: url, retentionDays: 30, deadLetterBytesMax: 64_000_000, mysqlLanes: 2 });
  await store.start();
});

afterAll(async () => {
  await store?.close();
  if (!isSkipped(server)) await server.stop();
});

const frame = (json: string) => ({
  eventTimeUs: 1_000n,
  kind: {
    $case: "frameTracking" as const,
    value: { gameId: "g", frameHash: "h", frameAnalysisJson: json, stagnationDetected: true },
  },
});

test("megabytes of rows and of dead letters go in, whatever their alphabet", async (context) => {
  if (isSkipped(server)) context.skip(server.skipped);
  const writer = await Writer.open(store);
  const text = JSON.stringify("帧".repeat(60_000));
  const rows = [1, 6, 11].map((seq) =>
    batchOf(
      seq,
      Array.from({ length: 5 }, () => recordEntry(frame(text))),
    ),
  );
  expect(await writer.commit(...rows)).toMatchObject({ committedSeq: 15 });
  // Event times that no column holds.
  const bad = Array.from({ length: 4 }, () => recordEntry({ ...frame(text), eventTimeUs: 2n ** 60n }));
  const outcome = await writer.commit(batchOf(16, [...bad, recordEntry(score(1))]));
  expect(outcome).toMatchObject({ committedSeq: 20, counts: { stored: 16, rejected: 4 } });
  expect(await writer.storedSeqs()).toHaveLength(16);
});
