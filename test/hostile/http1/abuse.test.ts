// The HTTP port under what is no HTTP, or too much or too little of it.
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HTTP_CONNECTIONS_PER_ADDRESS_MAX, HTTP_REQUEST_MS_MAX } from "@tailkeep/server/dist/limits.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../../support/in-process-server.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";
import { logProblems } from "../log-lines.js";

let server: TailkeepServer;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await TailkeepServer.start({ store: `sqlite:${folder.path}/t.db`, cwd: folder.path });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

class Raw {
  readonly socket: Socket;
  received = "";
  closed = false;

  constructor() {
    const { hostname, port } = new URL(server.httpUrl);
    this.socket = connect({ host: hostname, port: Number(port) });
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => {
      this.closed = true;
    });
    this.socket.on("data", (bytes) => {
      this.received += bytes.toString("latin1");
    });
  }

  async answer(request: string): Promise<string> {
    this.socket.write(request, "latin1");
    const untilMs = performance.now() + 5_000;
    while (!/\r\n\r\n/.test(this.received) && !this.closed && performance.now() < untilMs) await sleep(10);
    this.socket.destroy();
    return this.received.split("\r\n")[0] ?? "";
  }
}

const HOST = "Host: 127.0.0.1\r\n";

test.each<[string, string, RegExp]>([
  ["a large header", `GET / HTTP/1.1\r\n${HOST}X: ${"a".repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
  ["a long line", `GET /${"a".repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 (414|431) /],
  ["many headers", `GET / HTTP/1.1\r\n${HOST}${"X: y\r\n".repeat(50_000)}\r\n`, /^HTTP\/1\.1 431 /],
  ["no HTTP", "\u0016\u0003\u0001 hello\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["no host", "GET /metrics HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["a host that is not ours", "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", /^HTTP\/1\.1 421 /],
  ["two lengths", `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, /^HTTP\/1\.1 400 /],
  [
    "a length and chunks",
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    /^HTTP\/1\.1 400 /,
  ],
  ["a path upwards", `GET /../../etc/passwd HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 404 /],
  ["a path that is no URL", `GET //:0 HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 40[04] /],
  ["a whole URL", `GET http://[::: HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 40[04] /],
  ["another method", `DELETE / HTTP/1.1\r\n${HOST}\r\n`, /^HTTP\/1\.1 405 /],
  ["CONNECT", `CONNECT evil.example:80 HTTP/1.1\r\n${HOST}\r\n`, /^(HTTP\/1\.1 4|$)/],
  ["an upgrade", `GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`, /^HTTP\/1\.1 200 /],
])("%s is answered, or cut off", async (_, request, expected) => {
  expect(await new Raw().answer(request)).toMatch(expected);
  expect((await fetch(`${server.httpUrl}/healthz`)).status).toBe(200);
});

test("headers that come one by one are cut off in time, and one address cannot take every connection", async () => {
  const slow = Array.from({ length: 2 * HTTP_CONNECTIONS_PER_ADDRESS_MAX }, () => new Raw());
  for (const each of slow) each.socket.write(`GET / HTTP/1.1\r\n${HOST}`);
  await expect
    .poll(() => slow.filter(({ closed }) => !closed).length, { timeout: 5_000 })
    .toBeLessThanOrEqual(HTTP_CONNECTIONS_PER_ADDRESS_MAX);
  const untilMs = performance.now() + HTTP_REQUEST_MS_MAX * 1.5;
  while (slow.some(({ closed }) => !closed) && performance.now() < untilMs) {
    for (const { socket, closed } of slow) if (!closed) socket.write("X: y\r\n");
    await sleep(250);
  }
  expect(slow.every(({ closed }) => closed)).toBe(true);
  expect((await fetch(`${server.httpUrl}/healthz`)).status).toBe(200);
});

test("what was logged meanwhile is JSON, line by line, and no error of the server's own", () => {
  expect(logProblems(server.output)).toEqual([]);
});
