// However a trainer's process ends, what it recorded is stored, or lies on disk for its successor.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IngestServer } from "../../unit/client/ingest-server.js";
import { trainer } from "./child.js";

let server: IngestServer;
let spill: string;

beforeEach(async () => {
  server = await new IngestServer().start();
  spill = await mkdtemp(join(tmpdir(), "tailkeep-end-"));
});

afterEach(async () => {
  await server.stop();
  await rm(spill, { recursive: true, force: true });
});

/** Scores of all streams; each stream in order. */
function scores(): number[] {
  return [...server.streams.values()].flatMap(({ entries }) =>
    [...entries.values()].map((entry) => {
      const kind = entry.kind?.$case === "record" ? entry.kind.value.kind : undefined;
      return kind?.$case === "scoreHistory" ? (kind.value.score ?? Number.NaN) : Number.NaN;
    }),
  );
}

const numbers = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function segments(): Promise<string[]> {
  const names = await readdir(spill, { recursive: true });
  return names.filter((name) => name.endsWith(".seg")).map((name) => join(spill, name));
}

describe("with the server up", () => {
  test("a process that ends by itself has stored everything, and waits for nothing", async () => {
    const result = await trainer("append(1, 5000);", { server: server.address, spill });
    expect(result).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(scores()).toEqual(numbers(1, 5000));
    expect(await segments()).toEqual([]);
  });

  test("a trainer that never yields has lost nothing", async () => {
    const body = `
      const until = performance.now() + 1500;
      let n = 0;
      while (performance.now() < until) append(++n, n);
      console.log(n);
    `;
    const { stdout, code } = await trainer(body, { server: server.address, spill });
    expect(code).toBe(0);
    const stored = scores();
    expect(stored).toHaveLength(Number(stdout));
    expect(stored.every((score, i) => score === i + 1)).toBe(true);
  });

  test.each([
    ["SIGTERM", "flushOnSigterm"],
    ["SIGINT", "flushOnSigint"],
  ] as const)("%s flushes, where it was asked to, and then ends the process as it should", async (signal, option) => {
    const result = await trainer("append(1, 3000); console.log('ready'); setInterval(() => {}, 1000);", {
      server: server.address,
      spill,
      env: { RECORDER_OPTIONS: JSON.stringify({ [option]: true }) },
      onOutput: (text, kill) => {
        if (text.includes("ready")) kill(signal);
      },
    });
    expect(result).toMatchObject({ signal, stderr: "" });
    expect(scores()).toEqual(numbers(1, 3000));
    expect(await segments()).toEqual([]);
  });

  test("a second Ctrl-C leaves the rest to a successor and ends at once", async () => {
    server.faults = { swallowAcks: true };
    const twice = `
      append(1, 3000);
      setInterval(() => {}, 1000);
      process.kill(process.pid, "SIGINT");
      setTimeout(() => {
        process.kill(process.pid, "SIGINT");
        setInterval(() => console.log("alive"), 20);
      }, 300);
    `;
    const first = await trainer(twice, {
      server: server.address,
      spill,
      env: { RECORDER_OPTIONS: JSON.stringify({ flushOnSigint: true, exitFlushMs: 600_000, spillAfterMs: 600_000 }) },
    });
    expect(first).toMatchObject({ signal: "SIGINT", stderr: "" });
    // It would have waited for a second.
    expect(first.stdout.split("alive").length).toBeLessThan(10);
    server.faults = {};
    await trainer("await recorder.replayed();", { server: server.address, spill });
    expect(scores()).toEqual(numbers(1, 3000));
  });

  test("Ctrl-C leaves everything to a successor where the program exits at it", async () => {
    const atInterrupt = 'process.once("SIGINT", () => process.exit(130));';
    const interrupted = `${atInterrupt} append(1, 3000); process.kill(process.pid, "SIGINT"); setInterval(() => {}, 1000);`;
    const first = await trainer(interrupted, { server: server.address, spill });
    expect(first).toMatchObject({ code: 130, stderr: "" });
    const second = await trainer("await recorder.replayed();", { server: server.address, spill });
    expect(second.code).toBe(0);
    expect(scores()).toEqual(numbers(1, 3000));
  });

  test("processes of one trainer share a session and a spill folder, and each just records", async () => {
    const body = `
      import { spawn } from "node:child_process";
      if (process.env.WORKER === undefined) {
        const source = process.env.SOURCE;
        const workers = [1, 2, 3].map((worker) =>
          spawn(process.execPath, ["--input-type=module", "-e", source], {
            env: { ...process.env, WORKER: String(worker) }, stdio: "inherit",
          }));
        await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("close", resolve))));
      }
      const base = Number(process.env.WORKER ?? 0) * 10_000;
      append(base + 1, base + 1_000);
    `;
    const { code, stderr } = await trainer(body, { server: server.address, spill });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const expected = [0, 1, 2, 3].flatMap((worker) => numbers(worker * 10_000 + 1, worker * 10_000 + 1_000));
    expect(scores().sort((a, b) => a - b)).toEqual(expected);
    expect(server.streams.size).toBe(4);
    expect(await segments()).toEqual([]);
  });

  test("process.exit leaves to a successor what could not be sent any more", async () => {
    const first = await trainer("append(1, 3000); process.exit(7);", { server: server.address, spill });
    expect(first).toMatchObject({ code: 7, stderr: "" });
    const second = await trainer("await recorder.replayed();", { server: server.address, spill });
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(scores()).toEqual(numbers(1, 3000));
    expect(await segments()).toEqual([]);
  });

  test("so does an exception that nobody catches", async () => {
    const first = await trainer("append(1, 3000); throw new Error('of the trainer');", {
      server: server.address,
      spill,
    });
    expect(first.code).toBe(1);
    expect(first.stderr).toContain("of the trainer");
    await trainer("await recorder.replayed();", { server: server.address, spill });
    expect(scores()).toEqual(numbers(1, 3000));
  });
});

test("a server that takes everything and answers nothing does not keep the process alive for long", async () => {
  server.faults = { swallowAcks: true };
  const first = await trainer("append(1, 1000);", { server: server.address, spill });
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.ms).toBeLessThan(60_000);
  server.faults = {};
  await trainer("await recorder.replayed();", { server: server.address, spill });
  expect(scores()).toEqual(numbers(1, 1000));
});

describe("with the server away", () => {
  beforeEach(() => server.stop());

  test("the process ends soon, and its successor sends what it had, while it records itself", async () => {
    const first = await trainer("append(1, 2000);", { server: server.address, spill });
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.ms).toBeLessThan(8_000);
    await server.start();
    const second = await trainer("append(2001, 2500); await recorder.replayed();", { server: server.address, spill });
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(scores().sort((a, b) => a - b)).toEqual(numbers(1, 2500));
    expect(server.streams.size).toBe(2);
  });

  test("without a disk the ledger says what is lost, and why, in a line", async () => {
    await writeFile(join(spill, "file"), "");
    const body = `
      append(1, 100);
      await recorder.flush({ timeoutMs: 1500 }).catch(() => {});
      console.log(JSON.stringify(await recorder.close({ timeoutMs: 10 })));
    `;
    const { code, stdout, stderr } = await trainer(body, { server: server.address, spill: join(spill, "file", "x") });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ appended: 100, pending: 0, dropped: { closed: 100 } });
    const lines = stderr.split("\n").filter((line) => line.includes("SPILL_FOLDER_UNUSABLE"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("TAILKEEP_SPILL_DIR");
  });

  test("a segment that was damaged by hand: what is whole is sent, what is not is a gap, and somebody is told", async () => {
    const env = { RECORDER_OPTIONS: JSON.stringify({ flushRecords: 100 }) };
    await trainer("append(1, 3000);", { server: server.address, spill, env });
    const [segment = ""] = await segments();
    const bytes = await readFile(segment);
    bytes.fill(0xff, bytes.length / 2, bytes.length / 2 + 20);
    await writeFile(segment, bytes);
    await server.start();
    const body = `
      await recorder.replayed();
      console.log(JSON.stringify(recorder.replayLedger));
    `;
    const { code, stdout, stderr } = await trainer(body, { server: server.address, spill });
    expect(code).toBe(0);
    expect(stderr).toMatch(/TailkeepWarning: .*(quarantine|damaged)/i);
    const ledger = JSON.parse(stdout) as { durable: number; dropped: { spill_corrupt: number } };
    expect(ledger).toMatchObject({ appended: 3000, pending: 0 });
    expect(ledger.durable + ledger.dropped.spill_corrupt).toBe(3000);
    expect(ledger.dropped.spill_corrupt).toBeGreaterThan(0);
    expect(ledger.dropped.spill_corrupt).toBeLessThanOrEqual(200);
    const stored = scores().filter((score) => !Number.isNaN(score));
    expect(stored).toHaveLength(ledger.durable);
    expect(stored.every((score, i) => i === 0 || score > (stored[i - 1] ?? 0))).toBe(true);
    expect((await readdir(join(spill, "quarantine"))).length).toBeGreaterThan(0);
  });
});
