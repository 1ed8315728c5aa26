/** What networks do between trainers and their server; the link stands for it, without root. */
import { setTimeout as sleep } from "node:timers/promises";
import { SeededRandom } from "../../harness/random.js";
import { BOTH, duration, type FaultKind, numberOf } from "../fault.js";
import type { Direction } from "../rig/fault-proxy.js";

const HELD_MS_USUAL = 900;
/** Beyond the time after which a silent connection is asked whether it lives. */
const HELD_MS_MAX = 15_000;

export const connectionCut: FaultKind = {
  number: 8,
  name: "connections cut",
  reach: "some",
  stores: BOTH,
  choose: (random) => ({
    how: random.pick(["between frames", "within a frame"]),
    times: random.whole(1, 5),
    pauseMs: random.whole(1, 150),
  }),
  inject: async (choice, { rig: { link } }) => {
    for (let time = 0; time < numberOf(choice, "times"); time++) {
      if (choice["how"] === "between frames") link.cut();
      else link.cutMidFrame();
      await sleep(numberOf(choice, "pauseMs"));
      link.heal();
    }
  },
};

const HELD: Readonly<Record<string, readonly Direction[]>> = { up: ["up"], down: ["down"], both: ["up", "down"] };

export const partitioned: FaultKind = {
  number: 8,
  name: "partition (proxy)",
  reach: "some",
  stores: BOTH,
  choose: (random) => ({
    direction: random.pick(Object.keys(HELD)),
    forMs: duration(random, 50, HELD_MS_USUAL, HELD_MS_MAX),
  }),
  inject: async (choice, { rig: { link } }) => {
    link.hold(...(HELD[String(choice["direction"])] ?? []));
    await sleep(numberOf(choice, "forMs"));
    link.heal();
  },
};

export const slowLink: FaultKind = {
  number: 8,
  name: "slow link (proxy)",
  reach: "some",
  stores: BOTH,
  choose: (random) => ({ bytesPerSecond: random.pick([20_000, 200_000, 1_000_000]), forMs: random.whole(200, 900) }),
  inject: async (choice, { rig: { link } }) => {
    link.slow(numberOf(choice, "bytesPerSecond"));
    await sleep(numberOf(choice, "forMs"));
    link.heal();
  },
};

export const halfOpen: FaultKind = {
  number: 8,
  name: "half-open connections (proxy)",
  reach: "some",
  stores: BOTH,
  choose: (random) => ({ forMs: duration(random, 50, HELD_MS_USUAL, HELD_MS_MAX) }),
  inject: async (choice, { rig: { link } }) => {
    link.forgetServerSide();
    await sleep(numberOf(choice, "forMs"));
    link.heal();
  },
};

/** Several servers on one database; trainers are led from one to the other, in the middle of their streams. */
export const twoServers: FaultKind = {
  number: 14,
  name: "two servers, one database",
  reach: "some",
  stores: ["mysql"],
  choose: (random) => ({ flips: random.whole(1, 6), pauseMsMax: random.whole(10, 300), seed: random.whole(1, 1e9) }),
  inject: async (choice, { rig }) => {
    const random = new SeededRandom(String(choice["seed"]));
    const second = await rig.second();
    for (let flip = 1; flip <= numberOf(choice, "flips"); flip++) {
      rig.link.leadTo((flip % 2 === 1 ? second : rig.server).grpcAddress);
      await sleep(random.whole(0, numberOf(choice, "pauseMsMax")));
    }
    rig.link.leadTo(rig.server.grpcAddress);
  },
};
