import { getDefaultRecorder } from "@tailkeep/client";
const recorder = getDefaultRecorder();
const { history } = recorder.client;
recorder.append({ type: "score_history", gameId: "ls20", score: 12 }, "run-1");
await recorder.flush();
for await (const record of history.listRecords({ gameId: "ls20", types: ["score_history"], limit: 20 })) {
  if (record.type === "score_history") console.log(record.sessionId, record.score, record.scoreType);
}
const { stored } = await history.getStatistics({ sessionId: "run-1" });
console.log(stored.score_history);


export {};
