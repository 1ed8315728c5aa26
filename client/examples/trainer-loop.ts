// A trainer that learns which of three slot machines pays best. Its lists keep 100 items each; the database keeps all.
import { DatabaseBoundedList } from "@tailkeep/client";

const EPISODES = 1_000;
const PAYS = [0.2, 0.5, 0.8];

const scores = new DatabaseBoundedList("score_history", { gameId: "machines", capacity: 100 });
const actions = new DatabaseBoundedList("action_tracking", { gameId: "machines", capacity: 100 });
const progress = new DatabaseBoundedList("performance_history", { gameId: "machines", capacity: 100 });

const random = dice(7);
const values = PAYS.map(() => 0);
const plays = PAYS.map(() => 0);

for (let episode = 1; episode <= EPISODES; episode++) {
  const isCurious = random() < 0.1;
  const machine = isCurious ? Math.floor(random() * PAYS.length) : values.indexOf(Math.max(...values));
  const score = random() < (PAYS[machine] ?? 0) ? 1 : 0;

  plays[machine] = (plays[machine] ?? 0) + 1;
  const surprise = score - (values[machine] ?? 0);
  values[machine] = (values[machine] ?? 0) + surprise / (plays[machine] ?? 1);

  scores.append(score);
  actions.append({ actionType: `machine_${machine}`, effectiveness: surprise, isCurious });
  if (episode % 10 === 0) progress.append({ winRate: mean(scores), values: [...values] });
}

// What is in memory is there at once, what has left it is one `await` away.
console.log(`the last ${scores.length} scores average ${mean(scores).toFixed(2)}`);
let total = 0;
for await (const score of scores.history()) total += Number(score);
console.log(`all ${EPISODES} scores average ${(total / EPISODES).toFixed(2)}`);
console.log(`the best machine is ${values.indexOf(Math.max(...values))}`);

/** Lists are arrays: whatever took one before still does. */
function mean(list: readonly unknown[]): number {
  return list.reduce((sum: number, value) => sum + Number(value), 0) / list.length;
}

/** The same numbers in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
