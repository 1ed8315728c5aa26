import { DatabaseBoundedDict, DatabaseBoundedList, type ScoreFields } from "@tailkeep/client";

const scores = new DatabaseBoundedList<"score_history", ScoreFields>("score_history", { capacity: 10 });
for (const { score } of play()) scores.append({ score });
const frames = new DatabaseBoundedDict("frame_tracking", { capacity: 10 });
for (const { frameHash, stagnant } of play()) frames.set(frameHash, { stagnant });

let sum = 0;
for await (const { score } of scores.history({ limit: 1_000 })) sum += score ?? 0; // memory first, then the database
const oldest = await scores.history({ order: "oldest" }).next();
const evicted = await frames.fetch("frame-7"); // found by an index
const newest = await scores.tail(3); // of all processes that write this session
console.log({ sum, oldest: oldest.value, inMemory: frames.has("frame-7"), evicted, newest: newest.length });

await scores.loadFromDatabase(); // memory as it was, after a restart
for await (const event of scores.watch({ snapshotLimit: 2 })) {
  if (event.event === "record") console.log(event.record.seq); // then live, gaps too, until `break`
  if (event.event === "caughtUp") break;
}

function* play() {
    for (let n = 1; n <= 1_500; n++) yield { score: n, won: n % 3 === 0, frameHash: "frame-" + (n % 80), stagnant: n % 7 === 0 };
  }
export {};
