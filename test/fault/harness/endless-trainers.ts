/** Trainers of one session that append until they are told to stop. */
import type { TailkeepClient } from "@tailkeep/client";
import { Trainer } from "./trainer.js";

export function endlessTrainers(client: TailkeepClient, sessionId: string, streamIds: readonly string[]): Trainer[] {
  return streamIds.map(
    (streamId) =>
      new Trainer(client, {
        streamId,
        sessionId,
        seed: `${sessionId}/${streamId}`,
        entries: 1_000_000,
        burstMax: 60,
        pauseMsMax: 20,
        flushRecords: 64,
        idleCloseMs: 1_000,
        gapShare: 0.005,
        badShare: 0.002,
        timelessShare: 0.05,
      }),
  );
}

/** Records that are acked to them. */
export function ackedOf(trainers: readonly Trainer[]): number {
  return trainers.reduce((sum, { journal }) => sum + journal.ackedSeq, 0);
}
