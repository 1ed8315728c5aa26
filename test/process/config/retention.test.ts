// Days of namespaces: what a server is configured with reaches its records and those who ask.
import { join } from "node:path";
import { connect } from "@tailkeep/client";
import { makeKeyInStore } from "@tailkeep/server/dist/access/key-in-store.js";
import { configSchema } from "@tailkeep/server/dist/config/schema.js";
import { expect, onTestFinished, test } from "vitest";
import { startInProcess, temporaryFolder } from "../../support/in-process-server.js";

test("each namespace is told its own days", async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const store = `sqlite:${join(folder.path, "t.db")}`;
  const limits = { streamsMax: undefined, recordsPerSecondMax: undefined, bytesPerSecondMax: undefined };
  const keyOf = async (namespace: string) => {
    const wanted = { namespace, name: "", roles: ["admin"] as const, expiresAtUs: undefined, ...limits };
    return (await makeKeyInStore(configSchema.parse({ store }), { ...wanted, roles: [...wanted.roles] })).secret;
  };
  const keys = [await keyOf("team-a"), await keyOf("team-b"), await keyOf("team-c")];
  const retentionDaysIn = { "team-a": 90, "team-b": { frameHistory: 7 } };
  const server = await startInProcess({ store, retentionDaysIn });
  onTestFinished(() => server.close());
  const days = keys.map(async (apiKey) => {
    const client = connect({ server: server.grpcAddr, apiKey });
    onTestFinished(() => client.close());
    const { frame_tracking, score_history } = (await client.admin.getRetention()).days;
    return [frame_tracking, score_history];
  });
  expect(await Promise.all(days)).toEqual([
    [90, 90],
    [7, 30],
    [30, 30],
  ]);
});
