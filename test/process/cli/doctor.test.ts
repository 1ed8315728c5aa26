import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isSkipped, sharedMysqlFamily } from "../../support/databases/index.js";
import { freePort } from "../../support/databases/ports.js";
import { runCommand } from "../../support/run-command.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

interface Finding {
  readonly check: string;
  readonly level: "ok" | "warning" | "error";
  readonly message: string;
  readonly remedy?: string;
}

let folder: string;
let addresses: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tailkeep-doctor-"));
  addresses = {
    TAILKEEP_GRPC_ADDR: `127.0.0.1:${await freePort()}`,
    TAILKEEP_HTTP_ADDR: `127.0.0.1:${await freePort()}`,
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function diagnose(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await runCommand(["doctor", "--json", ...args], {
    env: { ...addresses, ...env },
    cwd: folder,
  });
  expect(stderr).toBe("");
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  for (const { level, remedy } of findings) expect(remedy === undefined).toBe(level === "ok");
  return { code, ok, findings, of };
}

describe("before anything was started", () => {
  test("all is well, and it says what the first start will do", async () => {
    const { code, ok, of } = await diagnose({});
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(of("store")).toMatchObject([{ level: "ok", message: expect.stringContaining("the first start makes it") }]);
    expect(of("gRPC address")).toMatchObject([{ level: "ok", message: expect.stringContaining("is free") }]);
    expect(of("server")).toMatchObject([{ level: "warning", remedy: expect.stringContaining("npm start") }]);
    expect(of("disk")).toMatchObject([{ level: "ok" }]);
    expect(of("versions")[0]?.message).toMatch(/^Tailkeep \d.*Node \d+.*SQLite 3/);
  });

  test("reads as lines", async () => {
    const { code, stdout } = await runCommand(["doctor"], { env: addresses, cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok {7}versions: /m);
    expect(stdout).toMatch(/^warning {2}server: .*\n {9}-> start it/m);
  });

  test("a bad setting is an error that names it", async () => {
    const { code, of } = await diagnose({ TAILKEEP_RETENTION_DAYS: "many" });
    expect(code).toBe(1);
    expect(of("configuration")).toMatchObject([
      { level: "error", message: expect.stringContaining("TAILKEEP_RETENTION_DAYS") },
    ]);
  });

  test("a port that another program has is an error", async () => {
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => {
      other.listen(Number(addresses["TAILKEEP_GRPC_ADDR"]?.split(":")[1]), "127.0.0.1", resolve);
    });
    try {
      const { code, of } = await diagnose({});
      expect(code).toBe(1);
      expect(of("gRPC address")).toMatchObject([
        {
          level: "error",
          message: expect.stringContaining("another program"),
          remedy: expect.stringContaining("TAILKEEP_GRPC_ADDR"),
        },
      ]);
    } finally {
      other.close();
    }
  });
});

test("a running server is recognised, and asked about the file that it has open", async () => {
  const file = join(folder, "running.db");
  const server = await TailkeepServer.start({ store: `sqlite:${file}`, cwd: folder });
  const env = {
    TAILKEEP_STORE: `sqlite:${file}`,
    TAILKEEP_GRPC_ADDR: server.grpcAddress,
    TAILKEEP_HTTP_ADDR: new URL(server.httpUrl).host,
  };
  try {
    const { code, of } = await diagnose(env);
    expect(code).toBe(0);
    expect(of("store")).toMatchObject([
      { level: "ok", message: expect.stringMatching(/a running server .* says: ready/) },
    ]);
    expect(of("gRPC address")).toMatchObject([{ level: "ok", message: expect.stringContaining("a Tailkeep serves") }]);
    expect(of("HTTP address")).toMatchObject([{ level: "ok", message: expect.stringContaining("Tailkeep 0.") }]);
    expect(of("server")).toMatchObject([{ level: "ok", message: expect.stringContaining("is serving") }]);

    const elsewhere = await diagnose({ TAILKEEP_STORE: `sqlite:${file}` });
    expect(elsewhere.of("store")).toMatchObject([
      { level: "warning", message: expect.stringContaining("a running server") },
    ]);
  } finally {
    await server.stop();
  }
  const { of } = await diagnose({ TAILKEEP_STORE: `sqlite:${file}` });
  expect(of("store")).toMatchObject([{ level: "ok", message: expect.stringContaining("SQLite") }]);
  expect(of("schema")).toMatchObject([{ level: "ok" }]);
  expect(of("durability")).toMatchObject([{ level: "ok", message: "journal_mode is wal" }]);
});

test("MySQL is looked at without being changed", async (context) => {
  const database = await sharedMysqlFamily();
  if (isSkipped(database)) return context.skip(database.skipped);
  try {
    const store = database.url(await database.createDatabase());
    const { code, of } = await diagnose({ TAILKEEP_STORE: store });
    expect(code).toBe(0);
    expect(of("store")).toMatchObject([{ level: "ok", message: expect.stringMatching(/MariaDB|MySQL/) }]);
    expect(of("schema")).toMatchObject([{ level: "ok", message: expect.stringContaining("none yet") }]);
    expect(of("durability").map((finding) => finding.message)).toContain("innodb_flush_log_at_trx_commit is 1");
    expect(of("clock")).toMatchObject([{ level: "ok" }]);
    const again = await diagnose({ TAILKEEP_STORE: store });
    expect(again.of("schema")).toMatchObject([{ message: expect.stringContaining("none yet") }]);
  } finally {
    await database.stop();
  }
});

test("a database that cannot be reached is an error, and its password is not shown", async () => {
  const { code, findings, of } = await diagnose({ TAILKEEP_STORE: "mysql://someone:hunter2@127.0.0.1:1/tailkeep" });
  expect(code).toBe(1);
  expect(of("store")).toMatchObject([{ level: "error", message: expect.stringContaining("ECONNREFUSED") }]);
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

test("a file that is no database is an error", async () => {
  const { code, of } = await diagnose({ TAILKEEP_STORE: `sqlite:${import.meta.filename}` });
  expect(code).toBe(1);
  expect(of("store")).toMatchObject([{ level: "error", message: expect.stringContaining("SQLITE_NOTADB") }]);
});
