import { setTimeout } from "node:timers/promises";
import { DatabaseBoundedList, getDefaultRecorder } from "@tailkeep/client";

const scores = new DatabaseBoundedList("score_history");
const { client, limits } = getDefaultRecorder();
await client.config.update({ memoryLimits: { scoreHistory: 200 }, author: "me", comment: "longer averages" });
while (scores.capacity !== 200) await setTimeout(100); // a few seconds
console.log(scores.capacity, limits.current.actionLimits.perGame);


export {};
