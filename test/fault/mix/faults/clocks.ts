/** The wall clocks of the server and of its database are set, far and in both directions. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "../../harness/random.js";
import { BOTH, type FaultChoice, type FaultKind, MYSQL, numberOf } from "../fault.js";
import { CLOCK_NOTICED_MS } from "../rig/fake-clock.js";

const DAY_S = 86_400;
const TEN_YEARS_S = 3_652 * DAY_S;
const OFFSETS_S = [TEN_YEARS_S, -TEN_YEARS_S, 40 * DAY_S, -40 * DAY_S, 3_600, -3_600, -30];

export const serverClockSet: FaultKind = {
  number: 12,
  name: "server's clock set",
  reach: "everybody",
  stores: BOTH,
  isSlow: true,
  missing: ({ tools }) => tools.faketime,
  choose: (random) => ({ ...offset(random), restart: random.pick(["no", "no", "yes"]) }),
  inject: async (choice, round) => {
    const { rig } = round;
    round.clockWasSet = true;
    rig.serverClock.set(numberOf(choice, "offsetS"));
    await sleep(CLOCK_NOTICED_MS);
    if (choice["restart"] === "yes") {
      await rig.exclusively("store", async () => {
        await rig.server.kill();
        await rig.server.start();
      });
    }
    rig.serverClock.set(0);
    await sleep(CLOCK_NOTICED_MS);
  },
};

export const databaseClockSet: FaultKind = {
  number: 12,
  name: "database's clock set",
  reach: "everybody",
  stores: MYSQL,
  isSlow: true,
  missing: ({ tools }) => tools.faketime,
  choose: offset,
  inject: async (choice, round) => {
    const { rig } = round;
    round.clockWasSet = true;
    rig.databaseClock.set(numberOf(choice, "offsetS"));
    await sleep(CLOCK_NOTICED_MS);
    rig.databaseClock.set(0);
    await sleep(CLOCK_NOTICED_MS);
  },
};

function offset(random: SeededRandom): FaultChoice {
  return { offsetS: random.pick(OFFSETS_S) };
}
