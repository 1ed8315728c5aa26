// Requests that are answered one by one, while the store stands still.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { status } from "@grpc/grpc-js";
import { REQUEST_BYTES_IN_ALL_MAX, STATE_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { expect, onTestFinished, test } from "vitest";
import { type EndedError, Stubs } from "../../support/grpc/stubs.js";
import { startInProcess, temporaryFolder } from "../../support/in-process-server.js";

const CONNECTIONS = 20;
const ASKED = 3 * CONNECTIONS;

test("large requests that pile up are refused beyond a bound, small ones are not, and there is room again afterwards", async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, "t.db");
  const server = await startInProcess({ store: `sqlite:${file}` });
  onTestFinished(() => server.close());
  const clients = Array.from({ length: CONNECTIONS }, () => new Stubs(server.grpcAddr, { ownConnection: true }));
  onTestFinished(() => {
    for (const each of clients) each.close();
  });
  const lock = new DatabaseSync(file);
  lock.exec("BEGIN IMMEDIATE");

  const valueJson = JSON.stringify("x".repeat(STATE_BYTES_MAX - 2));
  const put = (n: number, text: string) =>
    (clients[n % CONNECTIONS] as Stubs).call("putState", { name: `n${n}`, valueJson: text }).then(
      () => status.OK,
      (error: EndedError) => status[error.ending.status as keyof typeof status],
    );
  const large = Array.from({ length: ASKED }, (_, n) => put(n, valueJson));
  const small = put(ASKED, "1");
  // Those that are refused hear of it at once, the others when the lock is gone.
  const first = await Promise.race(large);
  expect(first).toBe(status.RESOURCE_EXHAUSTED);
  lock.exec("ROLLBACK");
  lock.close();
  const ended = await Promise.all(large);
  const stored = ended.filter((code) => code === status.OK).length;
  expect(stored).toBeGreaterThan(4);
  expect(ended.filter((code) => code === status.RESOURCE_EXHAUSTED)).toHaveLength(ASKED - stored);
  expect(stored).toBeLessThanOrEqual(ASKED - 1);
  expect(await small).toBe(status.OK);
  for (let n = 0; n < REQUEST_BYTES_IN_ALL_MAX / STATE_BYTES_MAX + 2; n++) {
    expect(await put(n, valueJson), "room is given back").toBe(status.OK);
  }
});
