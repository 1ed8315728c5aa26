/** The dashboard in a browser, on a server of the test's own; whatever the page should not have done is kept. */
import { join } from "node:path";
import type { Entry } from "@tailkeep/proto";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { Stubs } from "../grpc/stubs.js";
import { type InProcessServer, startInProcess, temporaryFolder } from "../in-process-server.js";
import { buildDashboard } from "./build.js";
import { launchBrowser } from "./find-browser.js";

const browser = await launchBrowser();
export const hasBrowser = browser !== undefined;

export class Dashboard {
  readonly server: InProcessServer;
  readonly stubs: Stubs;
  /** Errors, messages of the policy, requests that left the server. */
  readonly wrong: string[] = [];
  readonly #browser: Browser;
  readonly #cleanUp: (() => unknown)[];
  #scheme = "http";

  private constructor(server: InProcessServer, stubs: Stubs, cleanUp: (() => unknown)[]) {
    if (browser === undefined) throw new Error("there is no browser; skip the test");
    this.#browser = browser;
    this.server = server;
    this.stubs = stubs;
    this.#cleanUp = cleanUp;
  }

  static async start(): Promise<Dashboard> {
    await buildDashboard();
    const folder = await temporaryFolder();
    const server = await startInProcess({ store: `sqlite:${join(folder.path, "t.db")}` });
    const stubs = new Stubs(server.grpcAddr);
    return new Dashboard(server, stubs, [() => stubs.close(), () => server.close(), () => folder.remove()]);
  }

  /** Of a server that the test has started, and whose records it writes by `stubs`; both are the test's to close. */
  static async of(server: InProcessServer, stubs: Stubs, scheme: "http" | "https"): Promise<Dashboard> {
    await buildDashboard();
    const dashboard = new Dashboard(server, stubs, []);
    dashboard.#scheme = scheme;
    return dashboard;
  }

  get url(): string {
    return `${this.#scheme}://${this.server.httpAddr}/`;
  }

  /** @param fragment as in the address: `#/session/one` */
  async open(fragment = "", options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => this.wrong.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // A refused question is shown on the page; the browser says it once more.
      const isAnswer = /Failed to load resource.*40[0-9]/.test(message.text());
      if (message.type() === "error" && !isAnswer) this.wrong.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.url) && !url.startsWith("data:")) this.wrong.push(`foreign request: ${url}`);
    });
    page.on("dialog", (dialog) => {
      this.wrong.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(this.url + fragment);
    return page;
  }

  /** Stores scores of a session, one a number, from number `firstSeq` on, with their number as their step. */
  async write(sessionId: string, scores: readonly number[], firstSeq = 1, gameId = "ls20"): Promise<void> {
    const entries = scores.map((score, at) => performance(gameId, score, `{"step":${firstSeq + at}}`));
    await this.writeEntries(sessionId, entries, firstSeq);
  }

  async writeEntries(sessionId: string, entries: Entry[], firstSeq = 1): Promise<void> {
    const batch = { firstSeq: BigInt(firstSeq), entries };
    await this.stubs.call("writeRecords", { sessionId, streamId: "s", writerId: "w", batch });
  }

  async close(): Promise<void> {
    for (const context of this.#browser.contexts()) await context.close();
    for (const clean of this.#cleanUp) await clean();
  }
}

/** @param metadataJson what is no JSON makes a dead letter */
export function performance(gameId: string, score: number, metadataJson?: string): Entry {
  const value = { gameId, score, winRate: undefined, learningEfficiency: undefined, metadataJson };
  const record = { eventTimeUs: undefined, kind: { $case: "performanceHistory" as const, value } };
  return { kind: { $case: "record", value: record } };
}
