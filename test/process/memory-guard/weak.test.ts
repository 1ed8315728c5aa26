// A guard is no leak itself, and finds a real one, in processes of their own that may collect garbage at will.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";

const GUARD = pathToFileURL(join(import.meta.dirname, "../../../client/dist/memory-guard/memory-guard.js")).href;

/** Runs a module that has `MemoryGuard` and `collect`; resolves with its exit code and what it printed. */
async function run(body: string): Promise<{ code: number | null; output: string }> {
  const source = `
    import { MemoryGuard } from ${JSON.stringify(GUARD)};
    const collect = async () => { for (let i = 0; i < 5; i++) { globalThis.gc(); await new Promise(setImmediate); } };
    ${body}`;
  const args = ["--expose-gc", "--input-type=module", "-e", source];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, output: output + errors };
}

test("watched objects are collected when the trainer drops them, and their containers with them", async () => {
  const { code, output } = await run(`
    const guard = new MemoryGuard({ everyMs: 10, onLeak: () => undefined });
    const kept = { frameHistory: [1] };
    guard.watch(kept);
    const dropped = [];
    const work = (i) => {
      const trainer = { frameHistory: new Array(100_000).fill(i), nested: { map: new Map() } };
      const stop = guard.watch(trainer, { attributes: "all" });
      guard.periodicCleanup(trainer);
      guard.sample();
      guard.report();
      dropped.push(new WeakRef(trainer), new WeakRef(trainer.frameHistory), stop);
    };
    for (let i = 0; i < 100; i++) work(i);
    const size = guard.size;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await collect();
    const alive = dropped.filter((each) => each instanceof WeakRef && each.deref() !== undefined).length;
    console.log(size, alive, guard.size, guard.report().objects, kept.frameHistory.length);
  `);
  expect({ code, output }).toEqual({ code: 0, output: "101 0 1 1 1\n" });
});

test("the guard itself is collected once nothing is left to watch, and never keeps its process", async () => {
  const { code, output } = await run(`
    const make = () => {
      const guard = new MemoryGuard({ everyMs: 10 });
      guard.watch({ list: [] });
      return new WeakRef(guard);
    };
    const reference = make();
    for (let i = 0; i < 20 && reference.deref() !== undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await collect();
    }
    console.log(reference.deref() === undefined);
    const trainer = { list: [] };
    globalThis.trainer = trainer;
    new MemoryGuard({ everyMs: 10 }).watch(trainer);
  `);
  expect({ code, output }).toEqual({ code: 0, output: "true\n" });
});

test("a trainer that really leaks is found by the timer alone, by name; its heap grows, and it ends bounded", async () => {
  const { code, output } = await run(`
    const leaks = [];
    const guard = new MemoryGuard({ everyMs: 20, windowSamples: 3, leakWindows: 4, onLeak: (leak) => leaks.push(leak) });
    class Trainer {
      actionHistory = [];
      replay = { transitions: [], priorities: new Map() };
      act(step) {
        this.actionHistory.push({ step });
        this.replay.transitions.push({ step, frame: new Array(64).fill(step), reward: Math.random() });
        if (this.replay.priorities.size < 50) this.replay.priorities.set(step, 1);
      }
    }
    const trainer = new Trainer();
    guard.watch(trainer);
    const ends = performance.now() + 20_000;
    let step = 0;
    while (leaks.length === 0 && performance.now() < ends) {
      for (let i = 0; i < 200; i++) trainer.act(step++);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const [leak] = leaks;
    const { containers } = guard.report();
    console.log(leaks.length, leak.container.name, containers[0].name, trainer.actionHistory.length <= 1000 + 1000);
    const exact = 64 * 8 + 80;
    const estimated = containers[0].estimatedBytes / containers[0].items;
    console.log(estimated > exact / 2 && estimated < exact * 2, leak.container.growthPerMinute > 0);
  `);
  expect(output).toBe("1 Trainer.replay.transitions Trainer.replay.transitions true\ntrue true\n");
  expect(code).toBe(0);
});

test("a heap that grows without a watched container growing is told as such", async () => {
  const { code, output } = await run(`
    const leaks = [];
    const guard = new MemoryGuard({ everyMs: 0, windowSamples: 1, leakWindows: 3, onLeak: (leak) => leaks.push(leak.kind) });
    guard.watch({ list: [] });
    const hidden = [];
    for (let round = 0; round < 8; round++) {
      for (let i = 0; i < 100_000; i++) hidden.push({ i });
      globalThis.gc();
      guard.sample();
    }
    console.log(leaks.join(), hidden.length > 0, guard.report().heap.heapUsedBytesPerMinute > 0);
  `);
  expect({ code, output }).toEqual({ code: 0, output: "heap true true\n" });
});
