// Environments in processes of their own: each records for itself, into the same session and the same spill folder.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { DatabaseBoundedList, getDefaultRecorder } from "@tailkeep/client";

const ENVIRONMENTS = 3;
const EPISODES = 100;

const environment = process.argv[2];
if (environment === undefined) await train();
else play(environment);

async function train(): Promise<void> {
  const started = Array.from({ length: ENVIRONMENTS }, (_, index) => {
    // A child has its parent's environment, and with it TAILKEEP_SERVER, TAILKEEP_SESSION and TAILKEEP_SPILL_DIR.
    return fork(fileURLToPath(import.meta.url), [`environment-${index + 1}`]);
  });
  await Promise.all(started.map((child) => once(child, "exit")));

  const { client, options } = getDefaultRecorder();
  const counts: Record<string, number> = {};
  for await (const record of client.history.listRecords({ sessionId: options.connect.sessionId, order: "oldest" })) {
    counts[record.gameId] = (counts[record.gameId] ?? 0) + 1;
  }
  for (const game of Object.keys(counts).sort()) console.log(`${game}: ${counts[game]} episodes`);
}

/** Ends by itself when everything is stored; nothing has to be closed. */
function play(gameId: string): void {
  const episodes = new DatabaseBoundedList("session_history", { gameId, capacity: 10 });
  for (let episode = 1; episode <= EPISODES; episode++) {
    episodes.append({ status: episode % 4 === 0 ? "WIN" : "GAME_OVER", score: episode, actionsTaken: 10 * episode });
  }
}
