// The feed of limits: what it asks when, what it tells, and that it never throws.

import { openRecorder } from "@tailkeep/client";
import { configSchema } from "@tailkeep/server/dist/config/schema.js";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Clock } from "../../../client/src/clock.js";
import { type CentralConfig, DEFAULT_CONFIG, SETTING_NAMES } from "../../../client/src/limits-feed/central-config.js";
import { Limits } from "../../../client/src/limits-feed/limits.js";

/** A clock whose timers are fired by hand. */
class HandClock implements Clock {
  readonly delays: number[] = [];
  next: (() => void) | undefined;
  nowMs = () => 0;
  random = () => 1;
  after(delayMs: number, fire: () => void): () => void {
    this.delays.push(delayMs);
    this.next = fire;
    return () => {
      this.next = undefined;
    };
  }
  afterKeepingAlive(): () => void {
    throw new Error("it must not keep the process alive");
  }
  soon(): void {
    throw new Error("it must not keep the process alive");
  }
  async fire(): Promise<void> {
    const fire = this.next;
    this.next = undefined;
    fire?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const config = (version: number, scoreHistory: number): CentralConfig => ({
  ...DEFAULT_CONFIG,
  version,
  memoryLimits: { ...DEFAULT_CONFIG.memoryLimits, scoreHistory },
});

function feed() {
  const clock = new HandClock();
  const server = { answer: config(0, 100) as CentralConfig | Error, asked: 0, timeouts: new Set<number | undefined>() };
  const limits = new Limits(({ timeoutMs }) => {
    server.asked++;
    server.timeouts.add(timeoutMs);
    return server.answer instanceof Error ? Promise.reject(server.answer) : Promise.resolve(server.answer);
  }, clock);
  return { clock, server, limits };
}

afterEach(() => vi.restoreAllMocks());

describe("the defaults", () => {
  test("are the server's", () => {
    const { memoryLimits, actionLimits } = configSchema.parse({});
    expect(DEFAULT_CONFIG.memoryLimits).toEqual(memoryLimits);
    expect(DEFAULT_CONFIG.actionLimits).toEqual(actionLimits);
    expect(SETTING_NAMES).toHaveLength(15);
  });

  test("hold before the server was reached, and nothing is asked before somebody listens", () => {
    const { clock, limits } = feed();
    expect(limits.current).toBe(DEFAULT_CONFIG);
    const types = ["performance_history", "session_history", "action_tracking", "score_history"] as const;
    expect(types.map((type) => limits.capacityOf(type))).toEqual([100, 100, 1_000, 100]);
    const others = ["coordinate_tracking", "frame_tracking", "dictionary"] as const;
    expect(others.map((type) => limits.capacityOf(type))).toEqual([500, 50, 500]);
    expect(clock.delays).toEqual([]);
  });
});

test("a recorder that is closed follows no more", async () => {
  const recorder = openRecorder({ server: "127.0.0.1:1", spill: false });
  const stopped = vi.spyOn(recorder.limits as Limits, "stop");
  expect(stopped).not.toHaveBeenCalled();
  await recorder.close();
  expect(stopped).toHaveBeenCalledTimes(1);
});

describe("a feed", () => {
  test("tells a change once, and only a change; a listener that left hears nothing", async () => {
    const { clock, server, limits } = feed();
    const heard: string[] = [];
    limits.onChange(() => heard.push(`a ${limits.capacityOf("score_history")}`));
    const leave = limits.onChange(() => heard.push("b"));
    for (const answer of [config(0, 100), config(1, 7), config(1, 7)]) {
      server.answer = answer;
      await clock.fire();
    }
    expect(heard).toEqual(["a 7", "b"]);
    leave();
    // Another server on the same version may be configured otherwise.
    server.answer = config(1, 8);
    await clock.fire();
    expect(heard).toEqual(["a 7", "b", "a 8"]);
    expect(server.asked).toBe(4);
    expect([...server.timeouts]).toEqual([1_000]);
  });

  test("asks at once, every two seconds, less and less often while the server is away, and keeps what it knows", async () => {
    const { clock, server, limits } = feed();
    limits.start();
    limits.start();
    server.answer = config(3, 9);
    await clock.fire();
    server.answer = new Error("away");
    for (let time = 0; time < 6; time++) await clock.fire();
    expect(clock.delays).toEqual([0, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    expect(limits.capacityOf("score_history")).toBe(9);
    server.answer = config(4, 10);
    await clock.fire();
    expect(clock.delays.at(-1)).toBe(2_000);
    expect(limits.current.version).toBe(4);
  });

  test("a listener that throws is a warning; the others hear, and the feed goes on", async () => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const { clock, server, limits } = feed();
    const heard: number[] = [];
    limits.onChange(() => {
      throw new Error("mine");
    });
    limits.onChange(() => heard.push(limits.current.version));
    for (const version of [1, 2]) {
      server.answer = config(version, version);
      await clock.fire();
    }
    expect(heard).toEqual([1, 2]);
    expect(warnings).toHaveBeenCalledTimes(2);
  });

  test("stopped, it asks and tells no more, also in the middle of a question", async () => {
    const { clock, server, limits } = feed();
    const heard: number[] = [];
    limits.onChange(() => heard.push(limits.current.version));
    server.answer = config(1, 1);
    const fired = clock.fire();
    limits.stop();
    await fired;
    await clock.fire();
    limits.onChange(() => heard.push(-1));
    limits.start();
    await clock.fire();
    expect({ heard, asked: server.asked, next: clock.next }).toEqual({ heard: [], asked: 1, next: undefined });
    expect(limits.current).toBe(DEFAULT_CONFIG);
  });
});
