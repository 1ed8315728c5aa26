// Reading back: on from memory into the database, by time, newest first or oldest first, and live.
import { DatabaseBoundedList, getDefaultRecorder, type ScoreFields } from "@tailkeep/client";

const scores = new DatabaseBoundedList<"score_history", ScoreFields>("score_history", { gameId: "ls20", capacity: 10 });
for (let score = 1; score <= 1_000; score++) scores.append({ score });

// Newest first, from memory and then, without a gap or a repeat, from the database. Reading may stop anywhere.
const newest: ScoreFields[] = [];
for await (const item of scores.history({ limit: 25 })) newest.push(item);
console.log(`the newest 25: ${newest[0]?.score} to ${newest[24]?.score}; ${scores.length} of them are in memory`);

const recorder = getDefaultRecorder();
const middleUs = recorder.nowUs();
scores.extend([{ score: 1_001 }, { score: 1_002 }]);
const later: unknown[] = [];
for await (const { score } of scores.history({ order: "oldest", sinceUs: middleUs })) later.push(score);
console.log(`since then: ${later.join(", ")}`);

// A trainer that is started again takes up where it was.
const again = new DatabaseBoundedList<"score_history", ScoreFields>("score_history", { gameId: "ls20", capacity: 10 });
await again.loadFromDatabase();
console.log(`after a restart: ${again.map(({ score }) => score).join(", ")}`);

// Watching shows what every process writes into the session, gaps too, until one breaks off.
let seen = 0;
setTimeout(() => scores.append({ score: 1_003 }), 100);
for await (const event of scores.watch({ snapshotLimit: 2 })) {
  if (event.event === "record" && event.record.type === "score_history") {
    console.log(`watched: ${event.record.score}`);
    if (++seen === 3) break;
  }
}
