// What the dashboard's address answers to whoever is not the dashboard.
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { API_BODY_BYTES_MAX, EVENT_STREAMS_PER_ADDRESS_MAX } from "@tailkeep/server/dist/limits.js";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildDashboard } from "../../support/browser/build.js";
import { oneServer } from "../../support/grpc/one-server.js";
import { recordEntry, score } from "../../support/records/batches.js";
import { collectGarbage } from "../../unit/containers/collect-garbage.js";

const FOLDER = join(import.meta.dirname, "..", "..", "..", "server", "dist", "dashboard");
const PAGE_BYTES_MAX = 100_000;

beforeAll(() => buildDashboard());
const running = oneServer();

/** Bytes that something still holds; the server is in this process. */
function heldBytes(): number {
  collectGarbage();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function ask(path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
  const { hostname, port } = new URL(`http://${running().server.httpAddr}`);
  return new Promise<Answer>((resolve, reject) => {
    const { method = "GET", headers = {}, body } = options;
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

const own = () => ({ origin: `http://${running().server.httpAddr}` });
const write = (sessionId: string, count: number, firstSeq = 1) => {
  const entries = Array.from({ length: count }, (_, at) => recordEntry(score(at)));
  const batch = { firstSeq: BigInt(firstSeq), entries };
  return running().stubs.call("writeRecords", { sessionId, streamId: "s", writerId: "w", batch });
};

describe("files", () => {
  test("all of them together are small, compressed", () => {
    const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".gz"));
    expect(names.length).toBeGreaterThanOrEqual(3);
    const bytes = names.reduce((sum, name) => sum + readFileSync(join(FOLDER, name)).length, 0);
    expect(bytes).toBeLessThan(PAGE_BYTES_MAX);
  });

  test("come compressed, under a policy that lets nothing in from elsewhere, and are kept where their name says what they are", async () => {
    const page = await ask("/", { headers: { "accept-encoding": "gzip, deflate, br" } });
    expect(page.headers).toMatchObject({
      "content-encoding": "br",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    });
    expect(page.headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;/,
    );
    const plain = await ask("/");
    for (const encoding of ["br", "gzip"]) {
      const headers = { "accept-encoding": encoding };
      expect(await (await fetch(`http://${running().server.httpAddr}/`, { headers })).text()).toBe(plain.body);
    }
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(plain.body)?.[1] ?? "";
    expect((await ask(script)).headers["cache-control"]).toContain("immutable");
    expect((await ask(script, { headers: { "accept-encoding": "br;q=0, gzip" } })).headers["content-encoding"]).toBe(
      "gzip",
    );
    expect((await ask("/assets/../../package.json")).status).toBe(404);
    expect((await ask("/assets/..%2f..%2fpackage.json")).status).toBe(404);
  });
});

describe("changes", () => {
  const rename = (headers: Record<string, string>, body = '{"name":"taken"}') =>
    ask("/api/v1/session?session=kept", { method: "PATCH", headers, body });
  const json = { "content-type": "application/json" };

  test("are taken from the dashboard's own address only", async () => {
    await write("kept", 1);
    const { host } = new URL(own().origin);
    for (const origin of ["http://evil.example", `http://${host}.evil.example`, "null", "", `ftp://${host}`]) {
      expect((await rename({ ...json, origin })).status, origin).toBe(403);
      const erased = await ask("/api/v1/session?session=kept&force=true", { method: "DELETE", headers: { origin } });
      expect(erased.status, origin).toBe(403);
    }
    expect((await rename(json)).status).toBe(403);
    expect(JSON.parse((await ask("/api/v1/session?session=kept")).body)).toMatchObject({ name: "" });
    expect((await rename({ ...json, ...own() })).status).toBe(200);
    expect(JSON.parse((await ask("/api/v1/session?session=kept")).body)).toMatchObject({ name: "taken" });
  });

  test("are JSON, small, and of fields that there are", async () => {
    expect((await rename({ ...own(), "content-type": "text/plain" })).status).toBe(400);
    for (const body of ["", "[]", "{", '{"state":3}', '{"name":5}', '{"labels":["a"]}', '{"__proto__":{"name":"x"}}']) {
      expect((await rename({ ...json, ...own() }, body)).status, body).toBe(400);
    }
    const large = JSON.stringify({ name: "x".repeat(API_BODY_BYTES_MAX) });
    expect((await rename({ ...json, ...own() }, large)).status).toBe(429);
    expect((await ask("/api/v1/session?session=nobody", { method: "DELETE", headers: own() })).status).toBe(404);
  });

  test("nothing is offered to other sites", async () => {
    const answer = await ask("/api/v1/sessions", { headers: { origin: "http://evil.example" } });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await ask("/api/v1/sessions", { method: "OPTIONS", headers: own() })).status).toBe(404);
    for (const path of ["/", "/api/v1/sessions", "/api/v1/events"]) {
      expect((await ask(path, { headers: { host: "evil.example" } })).status, path).toBe(421);
    }
  });

  test("a question that cannot be is refused with its field named", async () => {
    const fields = {
      "tail?session=kept&limit=-1": "limit",
      "tail?session=": "session_id",
      "sessions?state=9": "state",
    };
    for (const [path, field] of Object.entries(fields)) {
      const { status, body } = await ask(`/api/v1/${path}`);
      expect([status, JSON.parse(body).message], path).toEqual([400, expect.stringContaining(field)]);
    }
    for (const name of ["nothing", "toString", "__proto__", ""]) {
      expect((await ask(`/api/v1/${name}`)).status, name).toBe(404);
    }
  });
});

describe("events", () => {
  test("a page that does not read costs a bounded number of bytes, and nobody else anything", async () => {
    await write("flood", 1);
    const { hostname, port } = new URL(`http://${running().server.httpAddr}`);
    const slow = connect({ host: hostname, port: Number(port) });
    slow.on("error", () => undefined);
    onTestFinished(() => void slow.destroy());
    slow.write(`GET /api/v1/events?session=flood HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    await new Promise((resolve) => slow.once("readable", resolve));
    slow.pause();
    const before = heldBytes();
    let next = 2;
    for (let batch = 0; batch < 50; batch++, next += 4_000) await write("flood", 4_000, next);
    // 200,000 records are 90 MB of events; the watcher's queue is one.
    await expect.poll(() => heldBytes() - before, { timeout: 10_000 }).toBeLessThan(12_000_000);
    expect((await ask("/healthz")).status).toBe(200);
    // It goes on reading, and is told what it missed.
    let text = "";
    slow.setEncoding("utf8").on("data", (part: string) => {
      text = (text + part).slice(-2_000_000);
    });
    slow.resume();
    await expect.poll(() => text.includes("event: missed"), { timeout: 20_000 }).toBe(true);
    await expect.poll(() => /"skipped":[1-9]/.test(text) || text.includes("event: now"), { timeout: 5_000 }).toBe(true);
  });

  test("go on where an earlier stream stopped", async () => {
    await write("resumed", 3);
    const read = async (query: string, until: string) => {
      const abort = new AbortController();
      const url = `http://${running().server.httpAddr}/api/v1/events?session=resumed${query}`;
      const { body } = await fetch(url, { signal: abort.signal });
      let text = "";
      for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += part;
        if (text.includes(until)) break;
      }
      abort.abort();
      return text;
    };
    const first = await read("", "event: caught-up");
    expect(first.match(/event: record/g)).toHaveLength(3);
    const cursor = /event: caught-up\ndata: (.*)\n/.exec(first)?.[1] ?? "";
    await write("resumed", 2, 4);
    const second = await read(`&cursor=${encodeURIComponent(cursor)}`, "event: caught-up");
    expect([...second.matchAll(/"seq":(\d+)/g)].map(([, seq]) => seq)).toEqual(["4", "5"]);
    expect((await ask("/api/v1/events?session=resumed&cursor=nonsense")).status).toBe(400);
  });

  test("one address has a bounded number of them", async () => {
    const abort = new AbortController();
    const url = `http://${running().server.httpAddr}/api/v1/events`;
    const statuses = await Promise.all(
      Array.from({ length: EVENT_STREAMS_PER_ADDRESS_MAX + 5 }, () =>
        fetch(url, { signal: abort.signal }).then(({ status }) => status),
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(EVENT_STREAMS_PER_ADDRESS_MAX);
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    abort.abort();
    await expect
      .poll(
        async () => {
          await sleep(50);
          const one = new AbortController();
          const { status } = await fetch(url, { signal: one.signal });
          one.abort();
          return status;
        },
        { timeout: 5_000 },
      )
      .toBe(200);
  });
});
