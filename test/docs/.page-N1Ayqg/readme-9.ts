import { DatabaseBoundedList, openRecorder, setDefaultRecorder } from "@tailkeep/client";

setDefaultRecorder(openRecorder({ server: "127.0.0.1:1", spill: false, overflow: "drop-oldest", exitFlushMs: 0 }));
const scores = new DatabaseBoundedList("score_history");
for (const { score } of play()) scores.append(score);
console.log(scores.length);

function* play() {
    for (let n = 1; n <= 1_500; n++) yield { score: n, won: n % 3 === 0, frameHash: "frame-" + (n % 80), stagnant: n % 7 === 0 };
  }
export {};
