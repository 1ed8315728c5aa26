// The dashboards: Grafana is told of them, and a real Prometheus knows every metric that they ask for.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseBoundedList, metricsText, openRecorder } from "@tailkeep/client";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { freePort } from "../support/databases/ports.js";
import { findPrometheus } from "../support/find-prometheus.js";
import { temporaryFolder } from "../support/in-process-server.js";
import { TailkeepServer } from "../support/tailkeep-server.js";

const DEPLOY = join(import.meta.dirname, "..", "..", "deploy");
const DASHBOARDS = join(DEPLOY, "grafana", "dashboards");
const UNITS = ["short", "bytes", "Bps", "s", "cps", "ops", "reqps", "bool_yes_no"];
const SOON = { timeout: 30_000, interval: 200 };

interface Dashboard {
  uid: string;
  title: string;
  schemaVersion: number;
  templating: { list: { name: string; query: string }[] };
  panels: {
    id: number;
    title: string;
    description: string;
    fieldConfig: { defaults: { unit: string } };
    targets: { expr: string }[];
  }[];
}

const dashboards = readdirSync(DASHBOARDS).map((file) => ({
  file,
  dashboard: JSON.parse(readFileSync(join(DASHBOARDS, file), "utf8")) as Dashboard,
}));

/** What Grafana would ask with all instances selected. */
function queriesOf({ panels }: Dashboard): string[] {
  return panels.flatMap(({ targets }) =>
    targets.map(({ expr }) => expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m")),
  );
}

test("each dashboard has a uid, a unit for each panel, and a sentence on what it tells", () => {
  expect(dashboards.length).toBe(4);
  for (const { file, dashboard } of dashboards) {
    expect(`${dashboard.uid}.json`).toBe(file);
    expect(dashboard.schemaVersion).toBeGreaterThan(30);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const { description, fieldConfig } of dashboard.panels) {
      expect(UNITS).toContain(fieldConfig.defaults.unit);
      expect(description).toMatch(/\.$/);
    }
  }
});

test("compose gives Grafana the dashboards where its provisioning looks for them", () => {
  const read = (...path: string[]): unknown => parse(readFileSync(join(DEPLOY, ...path), "utf8"));
  const compose = read("compose", "compose.yaml") as { services: { grafana: { volumes: string[] } } };
  const { providers } = read("grafana", "provisioning", "dashboards", "tailkeep.yaml") as {
    providers: { options: { path: string } }[];
  };
  const { volumes } = compose.services.grafana;
  expect(volumes).toContain("../grafana/provisioning:/etc/grafana/provisioning:ro");
  expect(volumes).toContain(`../grafana/dashboards:${providers[0]?.options.path}:ro`);
});

test("Prometheus takes every query and knows every metric in it", async (context) => {
  const { folder: programs, reason } = await findPrometheus();
  if (programs === undefined) return context.skip(reason);
  const folder = await temporaryFolder();
  const server = await TailkeepServer.start({ store: `sqlite:${join(folder.path, "grafana.db")}` });
  const recorder = openRecorder({ server: server.grpcAddress, spill: false });
  const list = new DatabaseBoundedList("score_history", { recorder, name: "grafana" });
  for (let score = 0; score < 10; score++) list.append({ score });
  await recorder.flush();
  const trainer = createServer((_, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4").end(metricsText(recorder));
  }).listen(0, "127.0.0.1");
  await once(trainer, "listening");
  const targets = [`127.0.0.1:${(trainer.address() as AddressInfo).port}`, server.httpUrl.replace("http://", "")];
  const config = join(folder.path, "prometheus.yml");
  const scrape = { job_name: "tailkeep", static_configs: [{ targets }] };
  await writeFile(config, JSON.stringify({ global: { scrape_interval: "1s" }, scrape_configs: [scrape] }));
  const port = await freePort();
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder.path, "tsdb")}`];
  const child = spawn(join(programs, "prometheus"), [...flags, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: "ignore",
  });
  const ask = async (path: string) =>
    (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as { status: string; data: unknown };
  try {
    const names = async () => (await ask("label/__name__/values")).data as string[];
    await expect.poll(names, SOON).toEqual(expect.arrayContaining(["tailkeep_store_up", "tailkeep_client_streams"]));
    const known = await names();
    for (const { dashboard } of dashboards) {
      for (const { query } of dashboard.templating.list) {
        for (const [metric] of query.matchAll(/\btailkeep_[a-z_]+/g)) expect(known).toContain(metric);
      }
      for (const query of queriesOf(dashboard)) {
        for (const [metric] of query.matchAll(/\btailkeep_[a-z_]+/g)) expect(known).toContain(metric);
        expect({ query, status: (await ask(`query?query=${encodeURIComponent(query)}`)).status }).toEqual({
          query,
          status: "success",
        });
      }
    }
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
    trainer.close();
    trainer.closeAllConnections();
    await recorder.close();
    await server.stop();
    await folder.remove();
  }
}, 180_000);
