// Trainers on one folder that are killed while they write, before a server that is there, away, or killed itself: what was
// confirmed is in the database in the end, and nothing is in it twice.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { StateStore } from "../../../client/dist/state-store/state-store.js";
import { temporaryFolder } from "../../support/in-process-server.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";

const TRAINER = join(import.meta.dirname, "trainer.ts");
const ROUNDS = 6;

/** What a trainer said, kept by a process that is not killed. */
class Journal {
  readonly asked = new Set<string>();
  readonly counted = new Set<string>();
  readonly lastPut = new Map<string, number>();
  readonly complaints: string[] = [];

  async run(server: string, folder: string, own: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [TRAINER, server, folder, own], { stdio: ["ignore", "pipe", "pipe"] });
    child.stderr.on("data", (text: Buffer) => this.complaints.push(text.toString()));
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => this.#take(own, line));
    await once(lines, "line");
    return child;
  }

  #take(own: string, line: string): void {
    const [word, what = ""] = line.split(" ");
    if (word === "asked") this.asked.add(what);
    else if (word === "counted") this.counted.add(what);
    else if (word === "put") this.lastPut.set(own, Number(what));
    else if (word !== "ready") this.complaints.push(line);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
}

test.each(["is there", "is away", "comes and goes"])("while the server %s", async (server) => {
  const temporary = await temporaryFolder();
  const { path } = temporary;
  const folder = join(path, "state");
  const tailkeep = await TailkeepServer.start({ store: `sqlite:${join(path, "server.db")}` });
  if (server === "is away") await tailkeep.kill();
  const journal = new Journal();
  let isRunning = server !== "is away";
  for (let round = 0; round < ROUNDS; round++) {
    const trainers = await Promise.all(
      ["a", "b"].map((name) => journal.run(tailkeep.grpcAddress, folder, `${name}${round}`)),
    );
    if (server === "comes and goes") {
      await sleep(200 * Math.random());
      if (isRunning) await tailkeep.kill();
      else await tailkeep.start();
      isRunning = !isRunning;
    }
    await sleep(100 + 400 * Math.random());
    // The second outlives the first, and takes over what it left; the next round takes over the rest.
    for (const trainer of trainers) await kill(trainer);
  }
  if (!isRunning) await tailkeep.start();

  const last = new StateStore({ server: tailkeep.grpcAddress, folder });
  const complaints: string[] = [];
  last.onProblem(({ message }) => complaints.push(message));
  last.onConflict(({ name }) => complaints.push(`conflict ${name}`));
  await last.get("shared");
  await last.flush({ timeoutMs: 60_000 });
  const shared = (await last.get<Record<string, number>>("shared")) ?? {};
  expect(journal.counted.size).toBeGreaterThan(ROUNDS);
  for (const field of journal.counted) expect(shared[field], field).toBe(1);
  for (const [field, count] of Object.entries(shared)) {
    expect(journal.asked.has(field), field).toBe(true);
    expect(count, field).toBe(1);
  }
  for (const [own, n] of journal.lastPut) {
    // The one after the last that was confirmed may have happened too.
    const value = await last.get<{ n: number }>(`of ${own}`);
    expect([n, n + 1], own).toContain(value?.n);
  }
  expect([...journal.complaints, ...complaints]).toEqual([]);
  await last.close();
  // The folder is made when something is pending for the first time, which need not have been.
  expect(await readdir(join(folder, "pending")).catch(() => [])).toEqual([]);
  expect((await readdir(join(folder, "documents"))).filter((file) => file.startsWith(".tmp")).length).toBeLessThan(50);
  await tailkeep.stop();
  await temporary.remove();
});
