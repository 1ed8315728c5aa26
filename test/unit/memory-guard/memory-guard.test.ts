import { afterEach, describe, expect, test, vi } from "vitest";
import { BoundedDict, BoundedList } from "../../../client/src/containers/index.js";
import type { LeakEvent } from "../../../client/src/memory-guard/leak-report.js";
import { MemoryGuard } from "../../../client/src/memory-guard/memory-guard.js";
import { monitorMemoryUsage } from "../../../client/src/memory-guard/memory-usage.js";
import type { MemoryGuardOptions } from "../../../client/src/memory-guard/options.js";

const guards: MemoryGuard[] = [];

afterEach(() => {
  for (const guard of guards.splice(0)) guard.close();
});

/** Cleans and samples only when asked. */
function guardOf(options: MemoryGuardOptions = {}): MemoryGuard {
  const guard = new MemoryGuard({ everyMs: 0, windowSamples: 1, leakWindows: 3, ...options });
  guards.push(guard);
  return guard;
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const dict = (count: number) => Object.fromEntries(numbers(count).map((index) => [`k${index}`, index]));

describe("periodic cleanup", () => {
  const make = () => ({
    performance_history: numbers(2_000),
    session_history: numbers(2_000),
    governor_decisions: numbers(2_000),
    architect_evolutions: numbers(2_000),
    action_history: numbers(2_000),
    action_sequences: numbers(2_000),
    winning_action_sequences: numbers(2_000),
    coordinate_tracking: dict(2_000),
    tried_coordinates: new Set(numbers(2_000)),
    frame_history: numbers(2_000),
    stagnation_tracker: new Map(Object.entries(dict(2_000))),
  });
  const bounds = [100, 100, 100, 100, 1_000, 500, 200, 500, 500, 50, 100];
  const size = (value: object) =>
    Array.isArray(value)
      ? value.length
      : value instanceof Map || value instanceof Set
        ? value.size
        : Object.keys(value).length;

  test.each(["snake_case", "camelCase", "_private"])(
    "bounds the known attributes in %s every 100 operations",
    (spelling) => {
      const respell = (name: string) => {
        if (spelling === "snake_case") return name;
        if (spelling === "_private") return `_${name}`;
        return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
      };
      const trainer = Object.fromEntries(Object.entries(make()).map(([name, value]) => [respell(name), value]));
      const guard = guardOf();
      for (let operation = 1; operation < 100; operation++) expect(guard.periodicCleanup(trainer)).toBeUndefined();
      expect(Object.values(trainer).map(size)).toEqual(bounds.map(() => 2_000));
      expect(guard.periodicCleanup(trainer)).toHaveLength(bounds.length);
      expect(Object.values(trainer).map(size)).toEqual(bounds);
      expect((Object.values(trainer)[0] as number[]).at(-1)).toBe(1_999);
      for (let operation = 1; operation < 100; operation++) guard.periodicCleanup(trainer);
      expect(guard.periodicCleanup(trainer)).toEqual([]);
    },
  );

  test("each object has its own count", () => {
    const guard = guardOf({ everyOperations: 2 });
    const [a, b] = [{ frameHistory: numbers(60) }, { frameHistory: numbers(60) }];
    for (const object of [a, b, a]) guard.periodicCleanup(object);
    expect([a.frameHistory.length, b.frameHistory.length]).toEqual([50, 60]);
  });

  test("limits of the caller's replace and join the known ones, also while running", () => {
    const guard = guardOf({ limits: { performance_history: 7, lessons: 3 } });
    const trainer = {
      performanceHistory: numbers(20),
      lessons: numbers(20),
      frameHistory: numbers(60),
      other: numbers(20),
    };
    expect(guard.cleanup(trainer)).toEqual([
      { attribute: "performanceHistory", itemsBefore: 20, itemsAfter: 7 },
      { attribute: "lessons", itemsBefore: 20, itemsAfter: 3 },
      { attribute: "frameHistory", itemsBefore: 60, itemsAfter: 50 },
    ]);
    guard.setLimits({ performanceHistory: 5 });
    guard.cleanup(trainer);
    expect(trainer.performanceHistory).toEqual([15, 16, 17, 18, 19]);
    expect(() => guard.setLimits({ x: -1 })).toThrow("limit of x");
  });

  test("named attributes, getters included, or all; by age too", () => {
    const guard = guardOf();
    class Trainer {
      #secret = numbers(20);
      mine = numbers(20);
      byTime = { old: { timestamp: 1 }, young: { timestamp: Date.now() / 1_000 }, never: {} };
      get secret() {
        return this.#secret;
      }
    }
    const named = new Trainer();
    guard.watch(named, { attributes: ["secret", "missing"], itemsMax: 5 });
    guard.cleanupAll();
    expect([named.secret.length, named.mine.length]).toEqual([5, 20]);
    const all = new Trainer();
    guard.watch(all, { attributes: "all", itemsMax: 6, maxAgeHours: 1 });
    guard.cleanupAll();
    expect([all.secret.length, all.mine.length]).toEqual([20, 6]);
    expect(Object.keys(all.byTime)).toEqual(["young", "never"]);
  });

  test("containers that bound themselves keep their capacity", () => {
    const list = new BoundedList<number>({ capacity: 10_000 });
    list.extend(numbers(5_000));
    const map = new BoundedDict<string, number>({ capacity: 10_000 });
    for (const index of numbers(5_000)) map.set(`${index}`, index);
    guardOf().cleanup({ performanceHistory: list, coordinateTracking: map });
    expect([list.length, map.size]).toEqual([5_000, 5_000]);
  });

  test("whatever an object is made of, nothing is thrown", () => {
    const refuse = (): never => {
      throw new Error("go away");
    };
    const traps = {
      ownKeys: refuse,
      get: refuse,
      getOwnPropertyDescriptor: refuse,
      getPrototypeOf: refuse,
      deleteProperty: refuse,
    };
    const objects = [
      Object.freeze({ frameHistory: Object.freeze(numbers(60)) }),
      { frameHistory: new Proxy(numbers(60), traps) },
      new Proxy({ frameHistory: numbers(60) }, traps),
      { frameHistory: Object.seal(numbers(60)) },
      { frameHistory: new Float64Array(60) },
      {
        get frameHistory(): number {
          throw new Error("no");
        },
      },
      { frameHistory: "x".repeat(60) },
      new (class {
        #frameHistory = numbers(60);
        size = () => this.#frameHistory.length;
      })(),
      Object.create(null) as object,
      numbers(60),
      new Map([[1, 1]]),
      () => 1,
    ];
    const guard = guardOf();
    for (const object of objects) {
      for (const attributes of ["known", "all", ["frameHistory"]] as const) {
        guard.watch(object, { attributes, maxAgeHours: 1 });
        guard.cleanupAll();
        guard.sample();
        guard.report();
        for (let operation = 0; operation < 200; operation++) guard.periodicCleanup(object);
      }
    }
    const proxied = { frameHistory: new Proxy(numbers(60), {}) };
    guard.cleanup(proxied);
    expect(proxied.frameHistory).toHaveLength(50);
  });

  test("by its timer, which never keeps the process", async () => {
    const guard = guardOf({ everyMs: 5 });
    const trainer = { frameHistory: numbers(60) };
    guard.watch(trainer);
    await vi.waitFor(() => expect(trainer.frameHistory).toHaveLength(50));
    guard.close();
    trainer.frameHistory.push(...numbers(60));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(trainer.frameHistory).toHaveLength(110);
  });
});

describe("leaks", () => {
  class Trainer {
    steady: number[] = numbers(10_000);
    sawtooth: number[] = [];
    burst: number[] = [];
    peaks: number[] = [];
    memory = { episodes: [] as object[], index: new Map<number, number>(), seen: new Set<number>(), byName: dict(0) };
  }

  function step(trainer: Trainer, round: number): void {
    trainer.memory.episodes.push(...numbers(100).map((index) => ({ round, index, text: "x".repeat(100) })));
    if (trainer.sawtooth.length > 150) trainer.sawtooth.length = 0;
    trainer.sawtooth.push(...numbers(60));
    // Ever higher, and emptied each time.
    if (round % 4 === 0) trainer.peaks.push(...numbers(100 * round));
    else trainer.peaks.length = 0;
    if (round === 3) trainer.burst.push(...numbers(100_000));
  }

  test("the container that grows is named, once; a burst, a sawtooth and what is large are not", () => {
    const leaks: LeakEvent[] = [];
    const guard = guardOf({ windowSamples: 4, onLeak: (leak) => leaks.push(leak) });
    const trainer = new Trainer();
    guard.watch(trainer);
    for (let round = 0; round < 40; round++) {
      step(trainer, round);
      guard.sample();
    }
    const containers = leaks.filter(({ kind }) => kind === "container");
    expect(containers).toMatchObject([
      { container: { name: "Trainer.memory.episodes", kind: "list", isLeaking: true } },
    ]);
    expect(containers[0]?.message).toMatch(/^Trainer\.memory\.episodes grows steadily: \d+ items/);
    const { containers: reported } = guard.report();
    expect(reported[0]).toMatchObject({
      name: "Trainer.memory.episodes",
      items: 4_000,
      isLeaking: true,
      steadiness: 1,
    });
    expect(reported[0]?.growthPerMinute).toBeGreaterThan(0);
    expect(reported.filter(({ isLeaking }) => isLeaking)).toHaveLength(1);
    expect(reported.map(({ name }) => name).sort()).toEqual([
      "Trainer.burst",
      "Trainer.memory",
      "Trainer.memory.byName",
      "Trainer.memory.episodes",
      "Trainer.memory.index",
      "Trainer.memory.seen",
      "Trainer.peaks",
      "Trainer.sawtooth",
      "Trainer.steady",
    ]);
  });

  test("every kind of container, also of a list that is replaced by another at each step", () => {
    const leaks: string[] = [];
    const guard = guardOf({
      onLeak: (leak) => leaks.push(leak.kind === "container" ? leak.container.name : leak.kind),
    });
    const owner = { list: [] as number[], map: new Map(), set: new Set(), object: {} as Record<string, number> };
    guard.watch(owner, { name: "owner", attributes: [] });
    const alone = new Map<number, number>();
    guard.watch(alone, { name: "alone", attributes: [] });
    for (let round = 0; round < 10; round++) {
      owner.list = [...owner.list, ...numbers(50)];
      for (const index of numbers(50)) {
        owner.map.set(round * 50 + index, 1);
        owner.set.add(round * 50 + index);
        owner.object[`k${round * 50 + index}`] = 1;
        alone.set(round * 50 + index, 1);
      }
      guard.sample();
    }
    expect(leaks.sort()).toEqual(["alone", "owner.list", "owner.map", "owner.object", "owner.set"]);
  });

  test("it is told again only after it had stopped", () => {
    const leaks: LeakEvent[] = [];
    const guard = guardOf({ onLeak: (leak) => leaks.push(leak) });
    const owner = { list: [] as number[] };
    guard.watch(owner, { attributes: [] });
    const rounds = (count: number, grow: number) => {
      for (let round = 0; round < count; round++) {
        owner.list.push(...numbers(grow));
        guard.sample();
      }
    };
    rounds(10, 50);
    expect(leaks).toHaveLength(1);
    rounds(1, 0);
    rounds(5, 50);
    expect(leaks).toHaveLength(1);
    rounds(3, 0);
    expect(guard.report().containers.every(({ isLeaking }) => !isLeaking)).toBe(true);
    rounds(10, 50);
    expect(leaks).toHaveLength(2);
  });

  test("a slow drip below what is worth a word is not told, and a full bounded list never", () => {
    const leaks: LeakEvent[] = [];
    const guard = guardOf({ onLeak: (leak) => leaks.push(leak) });
    const bounded = new BoundedList<number>({ capacity: 100 });
    const owner = { drip: [] as number[], bounded };
    guard.watch(owner, { attributes: [] });
    for (let round = 0; round < 30; round++) {
      owner.drip.push(round);
      bounded.extend(numbers(1_000));
      guard.sample();
    }
    expect(leaks.filter(({ kind }) => kind === "container")).toEqual([]);
    expect(guard.report().containers.find(({ name }) => name.endsWith("bounded"))).toMatchObject({
      items: 100,
      capacity: 100,
      growthPerMinute: 0,
    });
  });

  test("growth by operation, and bytes to a factor of two", () => {
    const guard = guardOf({ leakWindows: 3 });
    const owner = { list: [] as object[] };
    guard.watch(owner, { attributes: [] });
    for (let round = 0; round < 10; round++) {
      for (let operation = 0; operation < 50; operation++) {
        owner.list.push({ a: 1, b: 2 }, { a: 3, b: 4 });
        guard.periodicCleanup(owner);
      }
      guard.sample();
    }
    const [list] = guard.report().containers;
    expect(list?.growthPerOperation).toBeCloseTo(2);
    // Two small fields, 40 bytes, and the slot.
    expect((list?.estimatedBytes ?? 0) / 1_000).toBeGreaterThan(24);
    expect((list?.estimatedBytes ?? 0) / 1_000).toBeLessThan(96);
  });

  test("the guard's own memory does not grow with time", () => {
    const guard = guardOf();
    const owner: Record<string, number[]> = {};
    guard.watch(owner);
    // Paths that come and go, and more containers than are followed.
    for (let round = 0; round < 50; round++) {
      for (const key of Object.keys(owner)) delete owner[key];
      for (let index = 0; index < 300; index++) owner[`list${round}-${index}`] = [];
      guard.sample();
      expect(guard.report().containers.length).toBeLessThanOrEqual(200);
    }
  });

  test("a listener that throws disturbs nothing, and without one there is a warning", async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on("warning", listener);
    try {
      const throwing = () => {
        throw new Error("listener");
      };
      for (const guard of [guardOf({ onLeak: throwing }), guardOf()]) {
        const owner = { list: [] as number[] };
        guard.watch(owner, { name: "owner", attributes: [] });
        for (let round = 0; round < 6; round++) {
          owner.list.push(...numbers(100));
          guard.sample();
        }
      }
      await vi.waitFor(() => expect(warnings.length).toBeGreaterThanOrEqual(2));
      expect(warnings.map(({ message }) => message).join("\n")).toMatch(/listener[\s\S]*owner\.list grows steadily/);
    } finally {
      process.off("warning", listener);
    }
  });

  test("counting the keys of a huge plain object takes a small share of the time", () => {
    const guard = guardOf();
    const owner = { huge: dict(300_000) };
    guard.watch(owner, { attributes: [] });
    guard.sample();
    let [samplingMs, listingMs] = [0, 0];
    // In turns, so that a machine that is busy is busy for both.
    for (let round = 0; round < 20; round++) {
      const startedMs = performance.now();
      guard.sample();
      const sampledMs = performance.now();
      Object.keys(owner.huge);
      samplingMs += sampledMs - startedMs;
      listingMs += performance.now() - sampledMs;
    }
    expect(samplingMs).toBeLessThan(listingMs / 2);
  });
});

test("nothing that cannot be is taken for an option", () => {
  for (const options of [
    { everyOperations: 0 },
    { everyMs: -1 },
    { windowSamples: 0 },
    { leakWindows: 1 },
    { limits: { a: 0.5 } },
  ]) {
    expect(() => new MemoryGuard(options)).toThrow("must be a whole number");
  }
  expect(() => guardOf().watch({}, { itemsMax: -1 })).toThrow("itemsMax");
  expect(() => guardOf().watch({}, { maxAgeHours: Number.NaN })).toThrow("maxAgeHours");
});

test("memory usage is in bytes and hangs together", () => {
  const usage = monitorMemoryUsage();
  for (const [name, value] of Object.entries(usage)) {
    if (name !== "virtualBytes" || process.platform === "linux") expect(value, name).toBeGreaterThan(0);
  }
  expect(usage.heapUsedBytes).toBeLessThanOrEqual(usage.heapTotalBytes);
  expect(usage.residentBytes).toBeLessThan(usage.totalBytes);
  expect(usage.availableBytes).toBeLessThanOrEqual(usage.totalBytes);
  expect(usage.percentOfTotal).toBeCloseTo((100 * usage.residentBytes) / usage.totalBytes);
  if (usage.virtualBytes !== undefined) expect(usage.virtualBytes).toBeGreaterThan(usage.residentBytes);
  expect(guardOf().monitorMemoryUsage().totalBytes).toBe(usage.totalBytes);
});
