// What is full, and a server that refuses.
import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import * as wire from "@tailkeep/proto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PermissionError } from "../../../client/src/errors/errors.js";
import {
  STATE_CONFLICT_FILES_MAX,
  STATE_PENDING_BYTES_MAX,
  STATE_VALUE_BYTES_MAX,
} from "../../../client/src/limits.js";
import { failure, IngestServer } from "../client/ingest-server.js";
import { Bench, eventually } from "./bench.js";

let bench: Bench;

beforeEach(async () => {
  bench = await Bench.start();
});

afterEach(() => bench.end());

test("more than may be pending is refused, and what was taken before is kept", async () => {
  bench.proxy.leave();
  const state = bench.store();
  const value = "x".repeat(STATE_VALUE_BYTES_MAX - 2);
  const taken = STATE_PENDING_BYTES_MAX / STATE_VALUE_BYTES_MAX;
  for (let index = 0; index < taken; index++) {
    expect(await state.put(`d${index}`, value)).toMatchObject({ storedIn: "folder" });
  }
  await expect(state.put("one more", value)).rejects.toMatchObject({ code: "STATE_PENDING_FULL", retryable: true });
  await expect(state.put("one more", 1)).rejects.toMatchObject({ code: "STATE_PENDING_FULL" });
  // There is room in the place of another.
  await state.put("d0", 1);
  expect(await state.put("one more", 1)).toMatchObject({ storedIn: "folder" });
  expect(state.readings()).toMatchObject({ pendingDocuments: taken + 1 });
  bench.proxy.heal();
  await state.flush({ timeoutMs: 60_000 });
  expect(await bench.raw("d0")).toBe(1);
  expect(await bench.raw(`d${taken - 1}`)).toBe(value);
});

test("calls that nobody awaits are refused beyond a number", async () => {
  bench.proxy.leave();
  const state = bench.store();
  await state.get("away");
  const reads = await Promise.allSettled(Array.from({ length: 10_050 }, (_, index) => state.get(`d${index}`)));
  const refused = reads.filter((put) => put.status === "rejected");
  expect(refused).toHaveLength(50);
  expect(refused[0]).toMatchObject({ reason: { code: "STATE_CALLS_FULL" } });
  expect(await state.get("d0")).toBeUndefined();
});

test("files of conflicts are kept up to a number, the newest", async () => {
  const folder = join(bench.folder, "conflicts");
  await mkdir(folder);
  for (let index = 0; index < STATE_CONFLICT_FILES_MAX; index++) {
    const path = join(folder, `old.${index}-a.json`);
    await writeFile(path, "{}");
    await utimes(path, index, index);
  }
  const state = bench.store();
  await state.put("d", 1);
  bench.proxy.leave();
  await state.put("d", 2);
  await bench.rawPut("d", 3);
  bench.proxy.heal();
  await state.flush();
  const files = await bench.files("conflicts");
  expect(files).toHaveLength(0.9 * STATE_CONFLICT_FILES_MAX);
  expect(files.filter((file) => file.startsWith("d."))).toHaveLength(1);
  expect(files).not.toContain("old.0-a.json");
});

/** A server that reads for everybody and writes for nobody, until it may. */
class ReadOnlyServer {
  readonly server = new IngestServer();
  readonly #documents = new Map<string, wire.StateDocument>();
  mayWrite = false;

  async start(): Promise<void> {
    await this.server.start([
      [
        wire.StateServiceService,
        {
          putState: this.#answer(({ name, valueJson }: wire.PutStateRequest) => {
            if (!this.mayWrite) throw failure(status.PERMISSION_DENIED, "PERMISSION_DENIED");
            const version = (this.#documents.get(name)?.version ?? 0n) + 1n;
            const document = { name, valueJson, version, updatedAtUs: 1n };
            this.#documents.set(name, document);
            return document;
          }),
          getState: this.#answer(({ name }: wire.GetStateRequest) => {
            const document = this.#documents.get(name);
            if (document === undefined) throw failure(status.NOT_FOUND, "NOT_FOUND");
            return document;
          }),
          listStates: this.#answer(() => ({ documents: [], nextPageToken: "" })),
        } as never,
      ],
    ]);
  }

  #answer<Request>(answer: (request: Request) => unknown) {
    return (call: { request: Request }, callback: (error: unknown, value?: unknown) => void) => {
      try {
        callback(null, answer(call.request));
      } catch (error) {
        callback(error);
      }
    };
  }
}

test("a server that refuses says so to the caller, and what is pending waits until it does not", async () => {
  const readOnly = new ReadOnlyServer();
  await readOnly.start();
  try {
    const state = bench.store({ server: readOnly.server.address });
    await expect(state.put("d", 1)).rejects.toThrow(PermissionError);
    await expect(state.increment("c", "n")).rejects.toThrow(PermissionError);
    expect(state.isServerAway).toBe(false);
    await readOnly.server.stop();
    expect(await state.put("d", 1)).toMatchObject({ storedIn: "folder" });
    expect(await state.increment("c", "n")).toMatchObject({ storedIn: "folder" });
    await readOnly.start();
    await eventually(() => bench.problems.length > 0, "the refusal is told");
    expect(bench.problems).toMatchObject([{ code: "NOT_RECONCILED" }]);
    expect(state.readings().pendingDocuments).toBe(2);
    await expect(state.put("other", 1)).rejects.toThrow(PermissionError);
    readOnly.mayWrite = true;
    await state.flush({ timeoutMs: 30_000 });
    expect(await state.get("d")).toBe(1);
    expect(await state.get("c")).toEqual({ n: 1 });
    expect(bench.problems).toHaveLength(1);
  } finally {
    await readOnly.server.stop();
  }
});
