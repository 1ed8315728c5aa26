// Trainers that are killed at any moment: what they had spilled is there for their successors, in order, once.
import { expect, test } from "vitest";
import {
  checkLog,
  checkSuccession,
  sleep,
  succeed,
  Trainer,
  type TrainerOptions,
  tempFolder,
  until,
} from "./fixture.js";

const ROUNDS = 8;

test.each<NonNullable<TrainerOptions["mode"]>>(["turns", "never yields", "replays"])(
  "a trainer that %s and is killed leaves everything it had written",
  async (mode) => {
    for (let round = 0; round < ROUNDS; round++) {
      const folder = tempFolder();
      const trainer = new Trainer(folder, `${mode} ${round}`, { mode, everyMs: 1 + 10 * (round % 3) });
      // Sometimes before its first word.
      if (round % 6 !== 0) await until(() => trainer.lines.length > 1 + (round % 5), "it says something");
      await sleep(Math.random() * (round % 6 === 0 ? 150 : 60));
      await trainer.kill();
      const { orphans, problems, spill } = await succeed(folder);
      expect(orphans.length).toBeLessThanOrEqual(1);
      await checkSuccession(trainer, orphans[0]);
      expect(problems).toEqual([]);
      expect(trainer.said("problem")).toEqual([]);
      for (const { log } of orphans) await log.remove();
      await spill.close();
    }
  },
);

test("trainers that are killed while they take over from each other lose nothing of any of them", async () => {
  const folder = tempFolder();
  const trainers: Trainer[] = [];
  for (let round = 0; round < 10; round++) {
    const trainer = new Trainer(folder, `stream ${round}`, { mode: "adopt", everyMs: 2 });
    trainers.push(trainer);
    // While it takes over, or while it writes.
    await until(() => trainer.lines.includes("looks"), "it looks");
    await sleep(Math.random() * (round % 2 === 0 ? 15 : 80));
    await trainer.kill();
  }
  const { orphans, problems, spill } = await succeed(folder);
  expect(new Set(orphans.map(({ identity }) => identity.streamId)).size).toBe(orphans.length);
  for (const trainer of trainers) {
    await checkSuccession(
      trainer,
      orphans.find(({ identity }) => identity.streamId === trainer.streamId),
    );
  }
  expect(orphans.length).toBeGreaterThan(0);
  expect(problems).toEqual([]);
  for (const { log } of orphans) await log.remove();
  await spill.close();
});

test("of trainers that start at once, exactly one takes over each dead one, and none a living one", async () => {
  for (let round = 0; round < 2; round++) {
    const folder = tempFolder();
    const dead = Array.from({ length: 4 }, (_, at) => new Trainer(folder, `dead ${at}`));
    await until(() => dead.every((trainer) => trainer.seq("synced") > 0), "all have spilled");
    const [living, ...killed] = dead as [Trainer, ...Trainer[]];
    await Promise.all(killed.map((trainer) => trainer.kill()));
    const successors = Array.from({ length: 4 }, (_, at) => new Trainer(folder, `${at}`, { mode: "adopt only" }));
    await until(() => successors.every(({ lines }) => lines.includes("adopted all")), "all have looked");
    const adopted = successors.flatMap((successor) => successor.said("adopted")).filter((name) => name !== "all");
    expect(adopted.sort()).toEqual(killed.map(({ streamId }) => streamId).sort());
    // The living one goes on, and is found when it is dead; so is everything that the successors had taken.
    const before = living.seq("synced");
    await until(() => living.seq("synced") > before, "it goes on");
    await Promise.all([living, ...successors].map((trainer) => trainer.kill()));
    const { orphans } = await succeed(folder);
    expect(orphans).toHaveLength(4);
    for (const trainer of dead) {
      await checkSuccession(
        trainer,
        orphans.find(({ identity }) => identity.streamId === trainer.streamId),
      );
    }
  }
});

test("two trainers on one folder do not disturb each other, and one takes over from the other while it spills", async () => {
  const folder = tempFolder();
  const one = new Trainer(folder, "one", { mode: "adopt" });
  await until(() => one.seq("synced") > 0, "the first spills");
  const two = new Trainer(folder, "two", { mode: "adopt" });
  await until(() => two.seq("synced") > 300, "the second spills");
  expect(two.said("adopted")).toEqual(["all"]);
  await one.kill();
  const three = new Trainer(folder, "three", { mode: "adopt" });
  await until(() => three.seq("synced") > 300, "the third spills");
  expect(three.said("adopted").sort()).toEqual(["all", "one"]);
  await Promise.all([two.kill(), three.kill()]);
  const { orphans } = await succeed(folder);
  expect(orphans.map(({ identity }) => identity.streamId).sort()).toEqual(["one", "three", "two"]);
  for (const orphan of orphans) expect((await checkLog(orphan)).firstSeq).toBe(1);
});

test("a stopped trainer is not dead", async () => {
  const folder = tempFolder();
  const trainer = new Trainer(folder, "stopped");
  await until(() => trainer.seq("synced") > 0, "it spills");
  process.kill(trainer.pid, "SIGSTOP");
  try {
    expect((await succeed(folder)).orphans).toEqual([]);
  } finally {
    process.kill(trainer.pid, "SIGCONT");
  }
  const before = trainer.seq("synced");
  await until(() => trainer.seq("synced") > before, "it goes on");
});

test("nothing keeps a trainer alive whose work is done", async () => {
  const trainer = new Trainer(tempFolder(), "ends", { mode: "end", everyMs: 60_000 });
  await until(() => trainer.lines.includes("ended"), "its work is done");
  await trainer.end();
  expect(trainer.exitCode).toBe(0);
});
