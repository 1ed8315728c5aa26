// With keys: the page asks for one, keeps it for its tab only, and shows what its roles permit.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Dashboard, hasBrowser } from "../support/browser/dashboard.js";
import { Stubs } from "../support/grpc/stubs.js";

describe.skipIf(!hasBrowser)("keys (needs Chromium)", () => {
  let dashboard: Dashboard;
  const secrets: Record<string, string> = {};
  beforeAll(async () => {
    dashboard = await Dashboard.start();
    await dashboard.write("one", [1, 2]);
    const make = async (stubs: Stubs, roles: number[], namespace = "") =>
      (await stubs.call("createKey", { roles, namespace } as never)).secret;
    secrets["admin"] = await make(dashboard.stubs, [3]);
    const admin = new Stubs(dashboard.server.grpcAddr, { authorization: `Bearer ${secrets["admin"]}` });
    secrets["read"] = await make(admin, [2]);
    secrets["write"] = await make(admin, [1]);
    admin.close();
  });
  afterAll(() => dashboard.close());
  afterEach(() => expect(dashboard.wrong.splice(0)).toEqual([]));

  const enter = async (role: string) => {
    const page = await dashboard.open();
    await page.getByLabel("API key").fill(secrets[role] ?? role);
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    return page;
  };

  test("a wrong key, and one that may not read, are told so", async () => {
    const wrong = await enter("tk_wrong");
    await wrong.getByRole("alert").waitFor();
    const write = await enter("write");
    await write.getByText(/has not the role/).waitFor();
  });

  test("a key that reads shows everything and changes nothing; the tab forgets it", async () => {
    const page = await enter("read");
    await page.getByRole("link", { name: "one" }).first().click();
    await page.getByRole("heading", { level: 1, name: "one" }).waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Delete" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: "Rename or label" }).count()).toBe(0);
    expect(await page.evaluate("JSON.stringify(localStorage) + document.cookie + location.href")).not.toContain(
      secrets["read"],
    );
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "one" }).waitFor();
    await page.getByRole("button", { name: "Forget key" }).click();
    await page.getByLabel("API key").waitFor();
    await page.reload();
    await page.getByLabel("API key").waitFor();
  });

  test("an admin's key may delete", async () => {
    const page = await enter("admin");
    await page.getByRole("link", { name: "one" }).first().click();
    await page.getByRole("button", { name: "Delete" }).waitFor();
  });
});
