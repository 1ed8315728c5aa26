/** Drops faults of a round that fails, one after the other, while it still fails. */
import { isSkipped } from "../../support/databases/index.js";
import { type MixOptions, runMix, violationsOf } from "./campaign.js";
import { type Schedule, scheduleText } from "./schedule.js";

/** What passes once may fail the next time: each set of faults is tried so often. */
const ATTEMPTS = 3;

/** Of `count` things, by their places: as few as still fail, so that without any one of them nothing fails. */
export async function fewestThatFail(
  count: number,
  fails: (places: readonly number[]) => Promise<boolean>,
): Promise<readonly number[] | undefined> {
  let kept: readonly number[] = Array.from({ length: count }, (_, place) => place);
  if (!(await fails(kept))) return undefined;
  for (let place = 0; place < count; place++) {
    const fewer: readonly number[] = kept.filter((each) => each !== place);
    if (await fails(fewer)) kept = fewer;
  }
  return kept;
}

/** Tries on a new rig each time: the first round of the options, with fewer and fewer faults. */
export async function shrink(options: MixOptions, say: (line: string) => void): Promise<void> {
  let count = 0;
  let smallest: Schedule | undefined;
  const failsWith = async (places: readonly number[] | undefined): Promise<boolean> => {
    const change = (schedule: Schedule): Schedule => {
      count = Math.max(count, schedule.faults.length);
      if (places === undefined) return schedule;
      return { ...schedule, faults: schedule.faults.filter((_, place) => places.includes(place)) };
    };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const result = await runMix({ ...options, rounds: 1, change });
      if (isSkipped(result)) throw new Error(result.skipped);
      if (violationsOf(result).length === 0) continue;
      smallest = result.rounds[0]?.schedule;
      return true;
    }
    return false;
  };
  if (!(await failsWith(undefined))) {
    say(`round ${options.firstRound} did not fail in ${ATTEMPTS} attempts`);
    return;
  }
  await fewestThatFail(count, failsWith);
  if (smallest !== undefined) say(`still fails with ${smallest.faults.length} faults:\n${scheduleText(smallest)}`);
}
