// Metrics for Prometheus with node:http and nothing else.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseBoundedList, getDefaultRecorder, metricsText } from "@tailkeep/client";

const server = createServer((request, response) => {
  const isMetrics = request.url === "/metrics";
  response.writeHead(isMetrics ? 200 : 404, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(isMetrics ? metricsText(getDefaultRecorder()) : "");
}).listen(Number(process.env["METRICS_PORT"] ?? 0), "127.0.0.1");
// Neither the server, which is never closed, nor a scraper's connection must keep the trainer alive.
server.unref();
server.on("connection", (socket) => socket.unref());
await once(server, "listening");
const { port } = server.address() as AddressInfo;

const scores = new DatabaseBoundedList("score_history", { gameId: "ls20", capacity: 50, name: "scores" });
for (let score = 1; score <= 500; score++) scores.append(score);
await scores.flush();

const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
for (const line of text.split("\n"))
  if (/^tailkeep_client_(container|records)_[a-z_]+(\{container="scores"\})? /.test(line)) console.log(line);
