/** Drops faults of a round that fails, one after the other, while it still fails. */
import { isSkipped } from "../../support/databases/index.js";
import { type MixOptions, runMix, violationsOf } from "./campaign.js";
import { type Schedule, scheduleText } from "./schedule.js";

/** What passes once may fail the next time: each set of faults is tried so often. */
const ATTEMPTS = 3;

export async function shrink(options: MixOptions, say: (line: string) => void): Promise<void> {
  const fails = async (indexes: readonly number[] | undefined): Promise<Schedule | undefined> => {
    const change = (schedule: Schedule): Schedule =>
      indexes === undefined
        ? schedule
        : { ...schedule, faults: schedule.faults.filter((_, at) => indexes.includes(at)) };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const result = await runMix({ ...options, rounds: 1, change });
      if (isSkipped(result)) throw new Error(result.skipped);
      if (violationsOf(result).length > 0) return result.rounds[0]?.schedule;
    }
    return undefined;
  };
  let smallest = await fails(undefined);
  if (smallest === undefined) {
    say(`round ${options.firstRound} did not fail in ${ATTEMPTS} attempts`);
    return;
  }
  let kept: readonly number[] = smallest.faults.map((_, at) => at);
  for (const index of kept) {
    const fewer: readonly number[] = kept.filter((each) => each !== index);
    const schedule = await fails(fewer);
    if (schedule === undefined) continue;
    kept = fewer;
    smallest = schedule;
  }
  say(`still fails with ${kept.length} faults:\n${scheduleText(smallest)}`);
}
