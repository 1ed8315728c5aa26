import { createServer } from "node:http";
import { DatabaseBoundedList, getDefaultRecorder, metricsText } from "@tailkeep/client";

const scores = new DatabaseBoundedList("score_history", { name: "scores" });
for (const { score } of play()) scores.append(score);
const server = createServer((_request, response) => response.end(metricsText(getDefaultRecorder())));
server.listen(0, "127.0.0.1").unref(); // a fixed port, in a trainer
console.log(metricsText(getDefaultRecorder()).match(/.*container="scores".*/g));

function* play() {
    for (let n = 1; n <= 1_500; n++) yield { score: n, won: n % 3 === 0, frameHash: "frame-" + (n % 80), stagnant: n % 7 === 0 };
  }
export {};
