// A dashboard with TLS and keys, on a database that a second server writes to.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Dashboard, hasBrowser } from "../support/browser/dashboard.js";
import { Authority, hasOpenssl } from "../support/certificates.js";
import { isSkipped, sharedMysqlFamily } from "../support/databases/index.js";
import { Stubs } from "../support/grpc/stubs.js";
import { startInProcess, temporaryFolder } from "../support/in-process-server.js";

const isPossible = hasBrowser && (await hasOpenssl());

describe.skipIf(!isPossible)("over TLS (needs Chromium and openssl)", () => {
  const cleanUp: (() => unknown)[] = [];
  let dashboard: Dashboard;
  let secret = "";
  let skipped: string | undefined;

  beforeAll(async () => {
    const database = await sharedMysqlFamily();
    if (isSkipped(database)) {
      skipped = database.skipped;
      return;
    }
    cleanUp.push(() => database.stop());
    const store = database.url(await database.createDatabase());
    const folder = await temporaryFolder();
    cleanUp.push(() => folder.remove());
    const { cert, key } = await (await Authority.make(folder.path, "ca")).sign("server");
    const writing = await startInProcess({ store });
    cleanUp.push(() => writing.close());
    const shown = await startInProcess({ store, tlsCert: cert, tlsKey: key });
    cleanUp.push(() => shown.close());
    const door = new Stubs(writing.grpcAddr);
    secret = (await door.call("createKey", { roles: [3], namespace: "" } as never)).secret;
    door.close();
    const stubs = new Stubs(writing.grpcAddr, { authorization: `Bearer ${secret}` });
    cleanUp.push(() => stubs.close());
    dashboard = await Dashboard.of(shown, stubs, "https");
  });
  beforeEach((context) => {
    if (skipped !== undefined) context.skip(skipped);
  });
  afterAll(async () => {
    await dashboard?.close();
    for (const each of cleanUp.reverse()) await each();
  });

  test("it asks for the key, draws what is there, and what comes by the other server without a reload", async () => {
    await dashboard.write("one", [1, 7, 3]);
    const page = await dashboard.open("#/session/one", { ignoreHTTPSErrors: true });
    await page.getByLabel("API key").fill(secret);
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByRole("heading", { level: 1, name: "one" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("cell", { name: '"step":3' }).first().waitFor();
    await dashboard.write("one", [9, 4], 4);
    await page.getByRole("cell", { name: '"step":5' }).first().waitFor();
    await page.getByText("1 to 9, mean 4.8, 5 records.").first().waitFor();
    expect(dashboard.wrong).toEqual([]);
  });
});
