/** Trainers with a recorder: killed, cut off by the kernel, on disks that fail, with files that were damaged. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../../harness/random.js";
import { BOTH, type FaultChoice, type FaultKind, numberOf, type RunningRound } from "../fault.js";
import { DAMAGES, type Damage, damageSpill } from "../recorder/damage.js";
import { judgeLives, type LivesOptions } from "../recorder/judge-lives.js";
import { type LifeOptions, RecorderLife } from "../recorder/life.js";
import { CLOCK_NOTICED_MS, FakeClock } from "../rig/fake-clock.js";
import { type Direction, FaultProxy } from "../rig/fault-proxy.js";

const LAST_COUNT = 30;
const SAFE_WAIT_MS_MAX = 15_000;

/** A session, a folder and a link that nobody else has, and the lives that share them. */
class Story {
  readonly sessionId: string;
  readonly lives: RecorderLife[] = [];
  readonly #round: RunningRound;
  readonly #folder: string;
  readonly #link: FaultProxy;

  private constructor(round: RunningRound, folder: string, link: FaultProxy) {
    this.sessionId = round.freshSessionId();
    this.#round = round;
    this.#folder = folder;
    this.#link = link;
  }

  static async begin(round: RunningRound, parentFolder = tmpdir()): Promise<Story> {
    const folder = await mkdtemp(join(parentFolder, "tailkeep-spill-"));
    return new Story(round, folder, await FaultProxy.start(round.rig.server.grpcAddress));
  }

  get spillFolder(): string {
    return join(this.#folder, "spill");
  }

  /** Nothing gets through any more: what is recorded has to be spilled. */
  holdLink(...directions: Direction[]): void {
    this.#link.hold(...directions);
  }

  heal(): void {
    this.#link.heal();
  }

  start(options: Partial<LifeOptions> = {}): RecorderLife {
    const life = new RecorderLife({
      run: `run-${this.lives.length + 1}`,
      server: this.#link.address,
      sessionId: this.sessionId,
      spillFolder: this.spillFolder,
      count: 100_000,
      recordBytes: 20,
      burst: 50,
      pauseMs: 5,
      spillAfterMs: 0,
      syncMs: 5,
      endsByItself: false,
      ...options,
      environment: { NODE_COMPILE_CACHE: join(this.#round.rig.scratchFolder, "compiled"), ...options.environment },
    });
    this.lives.push(life);
    return life;
  }

  /** The link heals, a last life takes over what the others left, and all of them are judged. */
  async end(options: LivesOptions = {}): Promise<RecorderLife> {
    this.heal();
    const last = this.start({ count: LAST_COUNT, endsByItself: true });
    await last.untilEnded();
    await this.judge(options);
    return last;
  }

  async judge(options: LivesOptions = {}): Promise<void> {
    const { violations, rig, readings } = this.#round;
    for (const { reading } of this.lives) if (reading !== undefined) readings.push(reading);
    violations.push(...(await judgeLives(rig.store, this.sessionId, this.lives, options)));
    const isHealthy = this.lives.at(-1)?.ledger !== undefined && !options.wasDamaged;
    const left = (await readdir(this.#folder, { recursive: true })).filter((name) => name.endsWith(".seg"));
    if (isHealthy && left.length > 0) {
      violations.push({ invariant: "I10", subject: this.sessionId, detail: `left in the spill: ${left.join(", ")}` });
    }
  }

  async close(): Promise<void> {
    for (const life of this.lives) life.kill();
    await Promise.all(this.lives.map((life) => life.ended));
    await this.#link.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function tell(
  round: RunningRound,
  folder: string | undefined,
  use: (story: Story) => Promise<void>,
): Promise<void> {
  const story = await Story.begin(round, folder);
  try {
    await use(story);
  } finally {
    await story.close();
  }
}

/** Spills until something is safe on its disk, and a while longer. */
async function spillFor(life: RecorderLife, ms: number): Promise<void> {
  await life.until(() => life.safe > 0, SAFE_WAIT_MS_MAX);
  await sleep(ms);
}

const pace = (burst: number, pauseMs: number, syncMs: number): FaultChoice => ({ burst, pauseMs, syncMs });

export const trainerKilled: FaultKind = {
  number: 2,
  name: "trainer killed",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  choose: (random) => ({
    ...pace(random.pick([1, 20, 200]), random.whole(1, 5), random.pick([0, 5, 50])),
    link: random.pick(["up", "down", "silent"]),
    spillAfterMs: random.pick([0, 20]),
    afterMs: random.whole(0, 300),
  }),
  inject: async (choice, round) =>
    await tell(round, undefined, async (story) => {
      if (choice["link"] === "down") story.holdLink("up", "down");
      if (choice["link"] === "silent") story.holdLink("down");
      const life = story.start(paced(choice, { spillAfterMs: numberOf(choice, "spillAfterMs") }));
      await life.untilBegun();
      await sleep(numberOf(choice, "afterMs"));
      life.kill();
      await life.ended;
      await story.end();
    }),
};

export const spillPowerLost: FaultKind = {
  number: 9,
  name: "power loss of the spill",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  missing: ({ tools }) => tools.disks,
  choose: (random) => ({
    ...pace(random.pick([5, 50, 200]), random.whole(1, 5), random.pick([0, 5, 50])),
    afterMs: random.whole(0, 300),
  }),
  inject: async (choice, round) => {
    const { spillDisk } = round.rig;
    await round.rig.exclusively(
      "spill disk",
      async () =>
        await tell(round, spillDisk?.path, async (story) => {
          story.holdLink("up", "down");
          const life = story.start(paced(choice));
          await spillFor(life, numberOf(choice, "afterMs"));
          const judgeLastWords = life.powerIsLost();
          await spillDisk?.losePower();
          life.kill();
          await life.ended;
          judgeLastWords();
          await spillDisk?.remount();
          await story.end();
        }),
    );
  },
};

export const spillDamaged: FaultKind = {
  number: 10,
  name: "spill torn or corrupt",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  choose: (random) => ({
    ...pace(random.pick([5, 50, 200]), random.whole(1, 5), 5),
    damage: random.pick(DAMAGES),
    times: random.whole(1, 3),
    afterMs: random.whole(0, 300),
    seed: random.whole(1, 1e9),
  }),
  inject: async (choice, round) =>
    await tell(round, undefined, async (story) => {
      story.holdLink("up", "down");
      const life = story.start(paced(choice));
      await spillFor(life, numberOf(choice, "afterMs"));
      life.kill();
      await life.ended;
      const random = new SeededRandom(String(choice["seed"]));
      for (let time = 0; time < numberOf(choice, "times"); time++) {
        damageSpill(story.spillFolder, choice["damage"] as Damage, random);
      }
      await story.end({ wasDamaged: true });
    }),
};

export const spillDiskFull: FaultKind = {
  number: 11,
  name: "spill's disk full",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  missing: ({ tools }) => tools.disks,
  choose: (random) => ({ leftBytes: random.whole(0, 3_000_000), count: random.whole(1_000, 9_000) }),
  inject: async (choice, round) => {
    const { spillDisk } = round.rig;
    await round.rig.exclusively(
      "spill disk",
      async () =>
        await tell(round, spillDisk?.path, async (story) => {
          await spillDisk?.fill(numberOf(choice, "leftBytes"));
          try {
            story.holdLink("up", "down");
            const count = numberOf(choice, "count");
            const life = story.start({ count, recordBytes: 2_000, burst: 500, pauseMs: 5, endsByItself: true });
            await life.until(() => life.appended === count);
          } finally {
            await spillDisk?.empty();
          }
          await endBy(story);
        }),
    );
  },
};

export const spillSyncFails: FaultKind = {
  number: 11,
  name: "spill's writes and syncs fail",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  missing: ({ tools }) => tools.strace,
  choose: (random) => ({
    call: random.pick(["fdatasync,fsync", "pwritev,pwrite64"]),
    error: random.pick(["EIO", "ENOSPC"]),
    first: random.whole(1, 6),
    every: random.whole(2, 9),
  }),
  inject: async (choice, round) =>
    await tell(round, undefined, async (story) => {
      const { call, error, first, every } = choice;
      story.holdLink("up", "down");
      const trace = ["-e", `trace=${call}`, "-e", `inject=${call}:error=${error}:when=${first}+${every}`];
      const under = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", ...trace];
      const life = story.start({ count: 3_000, burst: 100, pauseMs: 10, endsByItself: true, under });
      await life.until(() => life.appended === 3_000);
      await endBy(story);
    }),
};

/** The link heals, and the one life ends by itself. */
async function endBy(story: Story): Promise<void> {
  story.heal();
  await story.lives[0]?.untilEnded();
  await story.judge();
}

export const trainerPartitioned: FaultKind = {
  number: 8,
  name: "partition, loss, slow link (kernel)",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  missing: ({ tools }) => tools.networks,
  choose: (random) => ({
    how: random.pick(["up", "down", "both", "loss", "slow"]),
    forMs: random.whole(100, 1_200),
    percent: random.whole(2, 40),
    kilobits: random.pick([200, 1_000, 8_000]),
  }),
  inject: async (choice, round) => {
    const { network, server } = round.rig;
    if (network === undefined) throw new Error("there is no network of its own");
    await round.rig.exclusively(
      "network",
      async () =>
        await tell(round, undefined, async (story) => {
          const life = story.start({
            server: await network.addressOf(server.grpcAddress),
            under: network.prefix,
            count: 4_000,
            burst: 20,
            spillAfterMs: 100,
            endsByItself: true,
          });
          try {
            await life.untilBegun();
            const percent = numberOf(choice, "percent");
            if (choice["how"] === "slow") await network.slow(numberOf(choice, "kilobits"));
            else if (choice["how"] === "loss") await network.lose({ up: percent, down: percent });
            else await network.lose({ up: choice["how"] === "down" ? 0 : 100, down: choice["how"] === "up" ? 0 : 100 });
            await sleep(numberOf(choice, "forMs"));
          } finally {
            await network.heal();
          }
          await endBy(story);
        }),
    );
  },
};

export const trainerClockSet: FaultKind = {
  number: 12,
  name: "trainer's clock set",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  missing: ({ tools }) => tools.faketime,
  choose: (random) => ({ offsetS: random.pick([315_532_800, -315_532_800, 86_400, -86_400, -5]) }),
  inject: async (choice, round) =>
    await tell(round, undefined, async (story) => {
      const clock = new FakeClock();
      try {
        const life = story.start({ count: 6_000, burst: 20, endsByItself: true, environment: clock.environment });
        await life.untilBegun();
        clock.set(numberOf(choice, "offsetS"));
        await sleep(CLOCK_NOTICED_MS);
        clock.set(0);
        await endBy(story);
      } finally {
        clock.remove();
      }
    }),
};

function paced(choice: FaultChoice, more: Partial<LifeOptions> = {}): Partial<LifeOptions> {
  return {
    burst: numberOf(choice, "burst"),
    pauseMs: numberOf(choice, "pauseMs"),
    syncMs: numberOf(choice, "syncMs"),
    ...more,
  };
}
