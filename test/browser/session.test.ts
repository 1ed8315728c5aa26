// One session in the browser: charts whose extremes are those of the records, and changes that last.
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Dashboard, hasBrowser, performance } from "../support/browser/dashboard.js";
import { gapEntry } from "../support/records/batches.js";

const RECORDS = 20_000;
const BATCH = 2_000;
/** Longer than the page waits before it asks for the same again. */
const SLOW_MS = 6_500;
/** Alone among thousands: any drawing that takes samples loses them. */
const SPIKES = { up: { at: 7_777, value: 99 }, down: { at: 15_001, value: -55 } };

describe.skipIf(!hasBrowser)("session (needs Chromium)", () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await Dashboard.start();
    const scores = Array.from({ length: RECORDS }, (_, at) => at % 10);
    scores[SPIKES.up.at] = SPIKES.up.value;
    scores[SPIKES.down.at] = SPIKES.down.value;
    for (let from = 0; from < RECORDS; from += BATCH) {
      await dashboard.write("spiky", scores.slice(from, from + BATCH), from + 1);
    }
    await dashboard.write("calm", [1, 2, 3]);
  });
  afterAll(() => dashboard.close());
  afterEach(() => expect(dashboard.wrong.splice(0)).toEqual([]));

  const scoreChart = (page: Page) => page.locator('[data-series="2 score"]');
  const summary = (page: Page) => scoreChart(page).locator(".summary");

  test("charts have the exact extremes, at every zoom, by mouse and by keyboard", async () => {
    const page = await dashboard.open("#/session/spiky");
    await expect
      .poll(() => summary(page).textContent(), { timeout: 15_000 })
      .toBe("-55 to 99, mean 4.5018, 20,000 records.");
    await page.getByLabel("Along the x axis").selectOption("seq");
    expect(await page.getByRole("button", { name: "Show all" }).isDisabled()).toBe(true);
    await expect.poll(() => paintedColours(page), { timeout: 10_000 }).toBeGreaterThan(2);
    const place = await scoreChart(page).locator(".u-over").boundingBox();
    if (place === null) throw new Error("the chart has no place");
    const drag = async (from: number, to: number) => {
      await page.mouse.move(place.x + place.width * from, place.y + 40);
      await page.mouse.down();
      await page.mouse.move(place.x + place.width * to, place.y + 60, { steps: 5 });
      await page.mouse.up();
    };
    // The left half, which has the spike upwards only.
    await drag(0.02, 0.5);
    await expect.poll(() => summary(page).textContent(), { timeout: 10_000 }).toMatch(/^0 to 99, .* [\d,]+ records\.$/);
    await page.getByRole("button", { name: "Show all" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => summary(page).textContent()).toMatch(/^-55 to 99, .* 20,000 records\.$/);
    await page.getByRole("button", { name: "Zoom in" }).press("Enter");
    // The middle half: numbers 5,000 to 15,000.
    await expect.poll(() => summary(page).textContent()).toMatch(/^0 to 99, /);
    await page.getByRole("button", { name: "Later" }).press("Enter");
    await expect.poll(() => summary(page).textContent()).toMatch(/^-55 to 9, /);
    await scoreChart(page).getByText("Values of performance score as a table").click();
    await scoreChart(page).getByRole("columnheader", { name: "greatest" }).waitFor();
  });

  test("lays sessions over each other, and goes by step", async () => {
    const page = await dashboard.open("#/session/calm");
    await page.getByLabel("Lay over it").selectOption("spiky");
    await expect
      .poll(() => summary(page).textContent(), { timeout: 10_000 })
      .toMatch(/^calm: 1 to 3.*spiky: -55 to 99/);
    await page.getByLabel("Along the x axis").selectOption("step");
    await expect.poll(() => summary(page).textContent()).toMatch(/^calm: 1 to 3.*spiky: -55 to 99/);
    await page.getByRole("button", { name: "Remove spiky" }).click();
    await expect.poll(() => summary(page).textContent()).toBe("1 to 3, mean 2, 3 records.");
  });

  test("a session that never stops writing is drawn, on a server that is slower than its news", async () => {
    await dashboard.write("busy", [5]);
    let next = 2;
    const writing = setInterval(() => {
      dashboard.write("busy", [5], next++).catch(() => undefined);
    }, 300);
    try {
      const page = await dashboard.open("#/help");
      await page.route("**/api/v1/series?*", async (route) => {
        await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
        await route.continue();
      });
      await page.goto(`${dashboard.url}#/session/busy`);
      await expect.poll(() => summary(page).count(), { timeout: 2 * SLOW_MS }).toBe(1);
    } finally {
      clearInterval(writing);
    }
  });

  test("shows records as they are stored, and what was lost where it fell", async () => {
    await dashboard.write("live", [1]);
    const page = await dashboard.open("#/session/live");
    const tail = page.getByRole("region", { name: "Newest records" });
    await tail.getByRole("row", { name: /score=1 / }).waitFor();
    await dashboard.write("live", [42], 2);
    await tail.getByRole("row", { name: /score=42 / }).waitFor({ timeout: 5_000 });
    await page.getByRole("button", { name: "Pause" }).click();
    await dashboard.writeEntries("live", [gapEntry(5, { cause: 1 }), performance("ls20", 7, "no JSON")], 3);
    await page.getByRole("region", { name: "Gaps" }).getByText("the trainer's buffer was full").waitFor();
    await page.getByRole("region", { name: "Dead letters" }).getByText("metadata_json").first().waitFor();
    await page.getByText("of this session, where they fell").waitFor();
    await expect.poll(() => tail.getByText("5 records lost").count()).toBe(0);
    await page.getByRole("button", { name: "Go on" }).click();
    await tail.getByText("5 records lost").waitFor();
    await page
      .getByRole("region", { name: "Streams" })
      .getByRole("row", { name: /s once 2 1 5 8/ })
      .waitFor();
  });

  test("draws coordinates and stagnation, and says over how many records", async () => {
    const entries = Array.from({ length: 30 }, (_, at) => ({
      kind: {
        $case: "record" as const,
        value: {
          eventTimeUs: BigInt(1_000_000 + at),
          kind:
            at < 20
              ? {
                  $case: "coordinateTracking" as const,
                  value: {
                    gameId: "ls20",
                    coordinateX: at % 4,
                    coordinateY: 7,
                    actionType: at % 2 === 0 ? "ACTION6" : "ACTION1",
                    success: at < 10,
                    contextJson: undefined,
                  },
                }
              : {
                  $case: "frameTracking" as const,
                  value: {
                    gameId: "ls20",
                    frameHash: "f",
                    frameAnalysisJson: undefined,
                    stagnationDetected: at >= 24 && at < 27,
                  },
                },
        },
      },
    }));
    await dashboard.writeEntries("map", entries);
    const page = await dashboard.open("#/session/map", { viewport: { width: 1_000, height: 300 } });
    // Asked for only when it is looked at: it may be below the charts.
    await page.locator(".seen").evaluate((place) => place.scrollIntoView());
    const map = page.getByRole("region", { name: "Coordinates" });
    await map.getByText("Exact over all 20 coordinates that are stored.").waitFor();
    await map.getByText("20 tries at 4 coordinates, 50 % had an effect.").waitFor();
    await map.getByLabel("Action").selectOption("ACTION6");
    await map.getByText("10 tries at 2 coordinates").waitFor();
    const frames = page.getByRole("region", { name: "Frames that stood still" });
    await frames.getByText("The game stood still in 3 frames (30 %), in 1 run; the longest had 3 frames.").waitFor();
  });

  test("is renamed, labelled, pinned and deleted", async () => {
    await dashboard.write("mine", [1]);
    const page = await dashboard.open("#/session/mine");
    await page.getByRole("button", { name: "Rename or label" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("My run");
    await dialog.getByLabel("Labels").fill("team=red\nbest");
    await dialog.getByLabel("Labels").press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "My run" }).waitFor();
    await page.getByText("team=red").waitFor();
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await page.getByRole("button", { name: "Pinned: never expires" }).waitFor();
    expect(await dashboard.stubs.call("getSession", { sessionId: "mine" })).toMatchObject({
      name: "My run",
      labels: { team: "red", best: "" },
      pinned: true,
    });
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Keep it" }).press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("heading", { name: "Needs a look" }).waitFor();
    await expect(dashboard.stubs.call("getSession", { sessionId: "mine" })).rejects.toThrow();
    await page.goto(`${dashboard.url}#/session/mine`);
    await page.getByText("There is no session mine").waitFor();
  });
});

/** Different colours in the score's chart: 1 where nothing is drawn. */
async function paintedColours(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('[data-series="2 score"] canvas');
    if (canvas === null) return 0;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  })()`)) as number;
}
