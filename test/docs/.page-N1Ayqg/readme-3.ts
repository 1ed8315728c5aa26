import { DatabaseBoundedList, getDefaultRecorder } from "@tailkeep/client";

const scores = new DatabaseBoundedList("score_history");
for (const { score } of play()) scores.append(score);
await scores.flush(); // everything so far is durable; rejects after ten seconds if it is not
const { appended, durable, pending, rejected, dropped } = getDefaultRecorder().ledger;
console.log({ appended, durable, pending, rejected, overflow: dropped.overflow });

function* play() {
    for (let n = 1; n <= 1_500; n++) yield { score: n, won: n % 3 === 0, frameHash: "frame-" + (n % 80), stagnant: n % 7 === 0 };
  }
export {};
