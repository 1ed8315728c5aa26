// The page of the metrics names those that server and trainer serve, with their types, and no others.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { metricsText, openRecorder } from "@tailkeep/client";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/in-process-server.js";
import { TailkeepServer } from "../support/tailkeep-server.js";

test("the page lists every metric of server and trainer with its type", async () => {
  const page = readFileSync(join(import.meta.dirname, "..", "..", "server", "docs", "metrics.md"), "utf8");
  const listed = [...page.matchAll(/^\| `(tailkeep_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  const folder = await temporaryFolder();
  const server = await TailkeepServer.start({ store: `sqlite:${join(folder.path, "metrics.db")}` });
  const recorder = openRecorder({ server: server.grpcAddress, spill: false });
  try {
    const text = (await (await fetch(`${server.httpUrl}/metrics`)).text()) + metricsText(recorder);
    const served = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => `${name} ${type}`);
    expect(listed.toSorted()).toEqual(served.toSorted());
  } finally {
    await recorder.close();
    await server.stop();
    await folder.remove();
  }
}, 60_000);
