import { DatabaseBoundedDict, DatabaseBoundedList } from "@tailkeep/client";

const scores = new DatabaseBoundedList("score_history", { gameId: "ls20" });
const frames = new DatabaseBoundedDict("frame_tracking", { gameId: "ls20" });
for (const episode of play()) {
  scores.append({ score: episode.score });
  frames.set(episode.frameHash, { stagnant: episode.stagnant });
}
let best = 0;
for await (const item of scores.history()) best = Math.max(best, typeof item === "number" ? item : (item.score ?? 0));
console.log(`${scores.length} scores in memory, the best of all was ${best}`);

function* play() {
    for (let n = 1; n <= 1_500; n++) yield { score: n, won: n % 3 === 0, frameHash: "frame-" + (n % 80), stagnant: n % 7 === 0 };
  }
export {};
