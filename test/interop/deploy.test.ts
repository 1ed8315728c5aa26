// What deploy/ holds is taken by the programs that it is for, as far as they are on this machine.
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { environmentName, SETTINGS } from "@tailkeep/server/dist/config/load.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { temporaryFolder } from "../support/in-process-server.js";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..");
const DEPLOY = join(ROOT, "deploy");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

test("systemd takes the unit, and finds little that it could still be kept from", async (context) => {
  const unit = await readFile(join(DEPLOY, "systemd", "tailkeep.service"), "utf8");
  const here = unit.replaceAll("/opt/tailkeep", ROOT).replaceAll("/usr/bin/node", process.execPath);
  const file = join(folder.path, "tailkeep.service");
  await writeFile(file, here);
  const verify = await run("systemd-analyze", ["verify", file]).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (verify === undefined) context.skip("no systemd-analyze on this machine");
  expect(verify?.stderr).toBe("");
});

interface Compose {
  services: Record<string, { ports?: string[]; environment?: Record<string, string>; read_only?: boolean }>;
}

test("compose publishes its ports on loopback alone, and sets what the server knows", async () => {
  const { services } = parse(await readFile(join(DEPLOY, "compose", "compose.yaml"), "utf8")) as Compose;
  expect(Object.keys(services)).toEqual(["tailkeep", "mysql", "prometheus", "grafana"]);
  for (const { ports = [] } of Object.values(services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
  expect(services["tailkeep"]?.read_only).toBe(true);
  const known = SETTINGS.map(({ path }) => environmentName(path));
  for (const name of Object.keys(services["tailkeep"]?.environment ?? {})) expect(known).toContain(name);
});

test("the image is made from what exists, runs as nobody, and sets what the server knows", async () => {
  const lines = (await readFile(join(DEPLOY, "container", "Dockerfile"), "utf8")).replaceAll("\\\n", " ").split("\n");
  const { workspaces } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { workspaces: string[] };
  expect(lines.join("\n")).toContain(`npm pkg delete "workspaces[${workspaces.indexOf("test")}]"`);
  expect(lines.filter((line) => line.startsWith("FROM")).at(-1)).toMatch(/:nonroot$/);
  const known = SETTINGS.map(({ path }) => environmentName(path));
  const environment = lines.filter((line) => line.startsWith("ENV")).join(" ");
  for (const [name] of environment.matchAll(/TAILKEEP_\w+/g)) expect(known).toContain(name);
  expect(lines.some((line) => line.startsWith("HEALTHCHECK"))).toBe(true);
});

/** `helm` from the PATH, or the one that TAILKEEP_TEST_HELM names; undefined where there is none. */
async function helm(...args: string[]): Promise<string | undefined> {
  const program = process.env["TAILKEEP_TEST_HELM"] ?? "helm";
  try {
    return (await run(program, args, { maxBuffer: 2 ** 24 })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface Manifest {
  kind: string;
  spec: {
    replicas?: number;
    template?: {
      spec: {
        securityContext: { runAsNonRoot: boolean };
        containers: {
          env: { name: string; value?: string; valueFrom?: unknown }[];
          args?: string[];
          securityContext: { readOnlyRootFilesystem: boolean };
          readinessProbe: { httpGet: { path: string; scheme: string } };
        }[];
      };
    };
  };
}

const CHART = join(DEPLOY, "helm", "tailkeep");
const MYSQL = ["--set", "store.kind=mysql", "--set", "store.urlSecret.name=tailkeep-store", "--set", "replicas=3"];
const TLS = ["--set", "tls.secretName=tailkeep-tls"];
const EVERYTHING = ["networkPolicy.enabled=true", "serviceMonitor.enabled=true"].flatMap((each) => ["--set", each]);

describe("the Helm chart", () => {
  test("has a schema that knows every value", async () => {
    const values = parse(await readFile(join(CHART, "values.yaml"), "utf8")) as Record<string, unknown>;
    const schema = JSON.parse(await readFile(join(CHART, "values.schema.json"), "utf8")) as {
      properties: Record<string, unknown>;
    };
    const known = Object.keys(schema.properties).filter((name) => name !== "global");
    expect(known.toSorted()).toEqual(Object.keys(values).toSorted());
  });

  test.for<[string, string[], string, number]>([
    ["one server on SQLite", [...TLS], "StatefulSet", 1],
    ["several on MySQL, with all that can be switched on", [...MYSQL, ...TLS, ...EVERYTHING], "Deployment", 3],
    ["without TLS, by name", ["--set", "allowUnprotected=true"], "StatefulSet", 1],
  ])("is linted and rendered: %s", async ([_what, settings, kind, replicas], context) => {
    const linted = await helm("lint", "--strict", CHART, ...settings);
    if (linted === undefined) context.skip("no helm on this machine");
    const text = (await helm("template", "run", CHART, ...settings)) ?? "";
    const manifests = text
      .split(/^---$/m)
      .map((each) => parse(each) as Manifest | null)
      .filter((each) => each !== null);
    const server = manifests.find((each) => each.kind === kind);
    expect(server?.spec.replicas).toBe(replicas);
    const pod = server?.spec.template?.spec;
    const container = pod?.containers[0];
    expect(pod?.securityContext.runAsNonRoot).toBe(true);
    expect(container?.securityContext.readOnlyRootFilesystem).toBe(true);
    expect(container?.args).toBeUndefined();
    const known = [...SETTINGS.map(({ path }) => environmentName(path)), "TAILKEEP_CONFIG"];
    for (const { name } of container?.env ?? []) expect(known).toContain(name);
    const store = container?.env.find(({ name }) => name === "TAILKEEP_STORE");
    expect(store?.value ?? store?.valueFrom).toEqual(
      kind === "Deployment" ? { secretKeyRef: { name: "tailkeep-store", key: "url" } } : "sqlite:/data/tailkeep.db",
    );
    expect(container?.readinessProbe.httpGet).toMatchObject({
      path: "/readyz",
      scheme: settings.includes(TLS[1] ?? "") ? "HTTPS" : "HTTP",
    });
  });

  test.for<[string, string[], RegExp]>([
    ["neither TLS nor a word that none is wanted", [], /set tls.secretName, or allowUnprotected=true/],
    ["MySQL without its secret", ["--set", "store.kind=mysql", ...TLS], /urlSecret/],
    ["a value that there is not", ["--set", "replica=3", ...TLS], /replica/],
  ])("refuses %s", async ([_what, settings, expected], context) => {
    const rendered = helm("template", "run", CHART, ...settings);
    const outcome = await rendered.then(
      (text) => text,
      (error: unknown) => String(error),
    );
    if (outcome === undefined) context.skip("no helm on this machine");
    expect(outcome).toMatch(expected);
  });
});
