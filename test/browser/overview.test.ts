// The overview answers three questions within a glance: which session is stuck, whether anything was lost, how full
// memory is. And it does so for anybody, whatever they use and whatever trainers call their sessions.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Dashboard, hasBrowser, performance } from "../support/browser/dashboard.js";
import { gapEntry } from "../support/records/batches.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describe.skipIf(!hasBrowser)("overview (needs Chromium)", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await Dashboard.start();
  });
  afterAll(() => dashboard.close());
  afterEach(() => expect(dashboard.wrong.splice(0)).toEqual([]));

  test("says what to do while there is no session, and shows the first one without a reload", async () => {
    const page = await dashboard.open();
    await page.getByText("No session yet").waitFor();
    await page.getByText(`npx tailkeep demo --server ${dashboard.server.grpcAddr}`).waitFor();
    await dashboard.write("first", [1, 2, 3]);
    await page.getByRole("link", { name: "first" }).first().waitFor({ timeout: 5_000 });
    await page.getByText("3 records stored").waitFor();
    await page.getByText("Nothing was lost").waitFor();
    await page.getByText(/\d+ % full/).waitFor();
    await page.getByText("Answering, durable").waitFor();
  });

  test("names the session that is stuck, and for how long", async () => {
    await dashboard.write("stuck", [1]);
    const page = await dashboard.open();
    await page.getByText("none quiet").waitFor();
    // Time passes on the server's lines, which the page reads; here it passes faster.
    await page.route("**/api/v1/events*", (route) => {
      const nowMs = Date.now();
      const late = { ...LOOK, atMs: nowMs + 4.5 * 60_000 };
      const active = [{ ...QUIET, sessionId: "stuck", committedAtUs: nowMs * 1_000 }];
      const line = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      return route.fulfill({ contentType: "text/event-stream", body: line("now", late) + line("activity", active) });
    });
    await page.reload();
    const attention = page.getByRole("region", { name: "Needs a look" });
    await attention.getByRole("link", { name: "stuck" }).waitFor();
    await attention.getByText("nothing for 4 min").first().waitFor();
    await page.getByText(/may be stuck/).waitFor();
    await page.getByLabel("Quiet after").selectOption("5");
    await attention.getByRole("link", { name: "stuck" }).waitFor({ state: "detached" });
  });

  test("says what was lost, as it happens", async () => {
    const page = await dashboard.open();
    await page.getByText("Nothing was lost").waitFor();
    await dashboard.writeEntries("lossy", [
      performance("ls20", 1),
      gapEntry(20, { cause: 1, type: 5 }),
      performance("ls20", 2, "no JSON"),
    ]);
    await page.getByText("20 records dropped by trainers, 1 dead letter").waitFor({ timeout: 5_000 });
    await page.getByRole("button", { name: "See what was lost" }).click();
    const gaps = page.getByRole("region", { name: "Gaps" });
    await gaps.getByRole("cell", { name: "20", exact: true }).waitFor();
    await gaps.getByText("the trainer's buffer was full").waitFor();
    await page.getByRole("region", { name: "Dead letters" }).getByText("metadata_json").first().waitFor();
  });

  test("finds sessions by name, label, game and state", async () => {
    await dashboard.write("alpha", [1], 1, "maze");
    await dashboard.write("beta", [1]);
    const labels = { labels: { team: "blue" } };
    await dashboard.stubs.call("updateSession", { sessionId: "beta", name: "Second try", labels, state: 2 } as never);
    const page = await dashboard.open();
    const list = page.getByRole("region", { name: "Sessions" }).last().getByRole("table");
    const expectOnly = async (name: string) => {
      await expect.poll(() => list.getByRole("row").count(), { timeout: 10_000 }).toBe(2);
      await list.getByRole("link", { name }).waitFor();
    };
    const words = page.getByLabel("Name, id or label");
    for (const each of ["second", "team=blue", "BETA"]) {
      await words.fill(each);
      await expectOnly("Second try");
    }
    await words.fill("");
    await page.getByLabel("Game").fill("maze");
    await expectOnly("alpha");
    await page.getByLabel("Game").fill("");
    await page.getByLabel("State").selectOption("finished");
    await expectOnly("Second try");
    await words.fill("nobody is called that");
    await page.getByText("No session", { exact: true }).waitFor();
  });

  test("shows hostile names as the text that they are", async () => {
    const names = [
      "<script>document.title='taken'</script>",
      "<img src=x onerror=\"document.title='taken'\">",
      "\u05d0\u05d1\u05d2 right to left",
      "long ".repeat(50).trim(),
    ];
    for (const [at, name] of names.entries()) {
      await dashboard.write(`hostile/../${at}`, [1], 1, "<b>game</b>");
      await dashboard.stubs.call("updateSession", {
        sessionId: `hostile/../${at}`,
        name,
        labels: { labels: { "<i>": name.slice(0, 200) } },
      } as never);
    }
    for (const viewport of [LAPTOP, PHONE]) {
      const page = await dashboard.open("", { viewport });
      for (const name of names) await page.getByRole("link", { name, exact: true }).first().waitFor();
      await page
        .getByRole("link", { name: names[0] as string, exact: true })
        .first()
        .click();
      await page.getByRole("heading", { level: 1, name: names[0] as string }).waitFor();
      await page.getByRole("cell", { name: "<b>game</b>" }).first().waitFor();
      expect(await page.title()).toBe("Tailkeep");
      expect(await page.evaluate("document.querySelectorAll('script:not([src]), b, i').length")).toBe(0);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    }
  });

  test.each([
    ["overview", ""],
    ["session", "#/session/lossy"],
    ["limits", "#/limits"],
    ["help", "#/help"],
  ])("%s can be used by everybody, in both themes and on a phone", async (_, fragment) => {
    for (const [colorScheme, viewport] of [
      ["light", LAPTOP],
      ["dark", LAPTOP],
      ["light", PHONE],
      ["dark", PHONE],
    ] as const) {
      const page = await dashboard.open(fragment, { colorScheme, viewport, bypassCSP: true });
      await page.getByRole("heading").first().waitFor();
      await page.waitForTimeout(1_500);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      await page.evaluate(AXE);
      const violations = (await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)].join(' ')))",
      )) as string[];
      expect(violations).toEqual([]);
    }
  });

  test("follows the theme of the system, or the one that was chosen", async () => {
    const page = await dashboard.open("#/help", { colorScheme: "dark" });
    const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    await page.getByRole("heading", { name: "Help" }).waitFor();
    const dark = await ground();
    await page.getByRole("button", { name: /^Theme/ }).click();
    expect(await ground()).not.toBe(dark);
    await page.reload();
    await page.getByRole("heading", { name: "Help" }).waitFor();
    expect(await ground()).not.toBe(dark);
    await page.getByRole("button", { name: /^Theme/ }).click();
    expect(await ground()).toBe(dark);
  });

  test("can be walked through with the keyboard alone", async () => {
    const page = await dashboard.open();
    await page.getByRole("link", { name: "first" }).first().waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toContain("Skip to content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    for (let steps = 0; steps < 60; steps++) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate("document.activeElement.getAttribute('href')")) === "#/session/first") break;
    }
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "first" }).waitFor();
  });
});

const QUIET = { openedAtUs: 0, stored: 1, rejected: 0, gapped: 0 };
const LOOK = {
  ingestBytes: 0,
  ingestBytesMax: 1,
  cacheBytes: 0,
  cacheBytesMax: 1,
  cacheSessions: 0,
  residentBytes: 0,
  residentBytesMax: 1,
  waitingRecords: 0,
  openStreams: 0,
  watchers: 0,
  storeUp: true,
  durable: true,
  receivedPerSecond: 0,
  receivedBytesPerSecond: 0,
  committedPerSecond: 0,
  rejected: 0,
  gapped: 0,
  skipped: 0,
};
