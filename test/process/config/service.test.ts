// ConfigService over the wire: values and where they are from, changes, what is refused, and what survives a restart.
import { join } from "node:path";
import { ConfigSource } from "@tailkeep/proto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Stubs } from "../../support/grpc/stubs.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../../support/in-process-server.js";

let folder: { path: string; remove(): Promise<void> };
let server: InProcessServer;
let stubs: Stubs;

async function start(settings: Record<string, unknown> = {}): Promise<void> {
  server = await startInProcess({ store: `sqlite:${join(folder.path, "config.db")}`, ...settings });
  stubs = new Stubs(server.grpcAddr);
}

async function stop(): Promise<void> {
  stubs.close();
  await server.close();
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await start({ memoryLimits: { frameHistory: 60 } });
});
afterAll(async () => {
  await stop();
  await folder.remove();
});

describe("the central configuration", () => {
  test("begins with the defaults under the server's own values, each with its source", async () => {
    const config = await stubs.call("getConfig", {});
    expect(config.version).toBe(0n);
    expect(config.memoryLimits).toEqual({
      performanceHistory: 100,
      sessionHistory: 100,
      actionHistory: 1_000,
      scoreHistory: 100,
      coordinateAttempts: 500,
      frameHistory: 60,
      dictionaries: 500,
      governorDecisions: 100,
      architectEvolutions: 100,
    });
    expect(config.actionLimits).toEqual({
      perGame: 2_000,
      perSession: 5_000,
      perScorecard: 8_000,
      perEpisode: 1_500,
      scalingBase: 800,
      scalingMax: 3_000,
    });
    expect(Object.keys(config.sources)).toHaveLength(15);
    const others = Object.entries(config.sources).filter(([, source]) => source !== ConfigSource.DEFAULT);
    expect(others).toEqual([["memoryLimits.frameHistory", ConfigSource.SERVER]]);
  });

  test("is changed in parts; what is absent stays, and the history says who did what and why", async () => {
    const first = await stubs.call("updateConfig", {
      memoryLimits: { scoreHistory: 7 },
      author: "ann",
      comment: "why",
    });
    expect(first).toMatchObject({ version: 1n, memoryLimits: { scoreHistory: 7, frameHistory: 60 } });
    const second = await stubs.call("updateConfig", {
      memoryLimits: { frameHistory: 8 },
      actionLimits: { perGame: 9 },
      expectedVersion: 1n,
    });
    expect(second).toMatchObject({ version: 2n, memoryLimits: { scoreHistory: 7, frameHistory: 8 } });
    expect(second.actionLimits?.perGame).toBe(9);
    expect(second.sources["memoryLimits.frameHistory"]).toBe(ConfigSource.DATABASE);
    const { changes } = await stubs.call("listConfigChanges", {});
    expect(changes.map(({ version, author, comment, settings }) => ({ version, author, comment, settings }))).toEqual([
      {
        version: 2n,
        author: "",
        comment: "",
        settings: {
          "actionLimits.perGame": { before: undefined, after: 9 },
          "memoryLimits.frameHistory": { before: undefined, after: 8 },
        },
      },
      {
        version: 1n,
        author: "ann",
        comment: "why",
        settings: { "memoryLimits.scoreHistory": { before: undefined, after: 7 } },
      },
    ]);
    const paged = await stubs.call("listConfigChanges", { pageSize: 1 });
    const rest = await stubs.call("listConfigChanges", { pageSize: 1, pageToken: paged.nextPageToken });
    expect([...paged.changes, ...rest.changes]).toEqual(changes);
  });

  test("a reset gives a value back to the server; what changes nothing makes no version", async () => {
    const config = await stubs.call("updateConfig", {
      reset: ["memoryLimits.frameHistory", "actionLimits.scalingMax"],
    });
    expect(config).toMatchObject({ version: 3n, memoryLimits: { frameHistory: 60 } });
    expect(config.sources["memoryLimits.frameHistory"]).toBe(ConfigSource.SERVER);
    const same = await stubs.call("updateConfig", {
      memoryLimits: { scoreHistory: 7 },
      reset: ["actionLimits.perEpisode"],
    });
    expect(same).toEqual(config);
  });

  test.each([
    [{ memoryLimits: { scoreHistory: 0 } }, /^memoryLimits\.scoreHistory: is 0; use a whole number from 1 to 100000$/],
    [{ memoryLimits: { dictionaries: 100_001 } }, /^memoryLimits\.dictionaries: /],
    [{ actionLimits: { perGame: -1 } }, /^actionLimits\.perGame: is -1; use a whole number from 1 to 10000000$/],
    [
      { actionLimits: { scalingBase: 3_001 } },
      /^actionLimits\.scalingBase: is 3001; use at most scalingMax, which is 3000/,
    ],
    [{ reset: ["memoryLimits.nothing"] }, /^reset\[0\]: there is no setting memoryLimits\.nothing; use one of/],
    [{ memoryLimits: { scoreHistory: 5 }, reset: ["memoryLimits.scoreHistory"] }, /^reset\[0\]: .*do one of both/],
    [{ author: "x".repeat(129) }, /^author: /],
    [{ comment: "x".repeat(1_025) }, /^comment: /],
    [{ reset: ["x".repeat(200)] }, /^reset\[0\]: there is no setting x{64};/],
  ])("%j is refused, by name and with the bounds", async (request, message) => {
    const before = await stubs.call("getConfig", {});
    const ending = await stubs.ending("updateConfig", request as never);
    expect(ending).toMatchObject({ status: "INVALID_ARGUMENT", code: "BAD_FIELD" });
    expect(ending.message).toMatch(message);
    expect(await stubs.call("getConfig", {})).toEqual(before);
  });

  test("another version than the expected one changes nothing, and says which it is", async () => {
    const ending = await stubs.ending("updateConfig", { memoryLimits: { scoreHistory: 50 }, expectedVersion: 1n });
    expect(ending).toMatchObject({ status: "ABORTED", code: "VERSION_MISMATCH" });
    expect(ending.message).toMatch(/has version 3;/);
    expect((await stubs.call("getConfig", {})).memoryLimits?.scoreHistory).toBe(7);
  });

  test("writers who expect nothing are all taken, one after the other", async () => {
    const values = [11, 12, 13, 14];
    const made = await Promise.all(
      values.map((scoreHistory) => stubs.call("updateConfig", { memoryLimits: { scoreHistory } })),
    );
    expect(made.map(({ version }) => Number(version)).sort((a, b) => a - b)).toEqual([4, 5, 6, 7]);
    await stubs.call("updateConfig", { memoryLimits: { scoreHistory: 7 } });
  });

  test("outlives the server", async () => {
    await stop();
    await start();
    const config = await stubs.call("getConfig", {});
    expect(config).toMatchObject({ version: 8n, memoryLimits: { scoreHistory: 7, frameHistory: 50 } });
    expect(config.sources["memoryLimits.scoreHistory"]).toBe(ConfigSource.DATABASE);
  });
});
