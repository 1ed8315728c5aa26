/** A server with two sessions whose records are known, for the commands that read. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TailkeepClient, type TrainingRecord } from "@tailkeep/client";
import { TailkeepServer } from "../../support/tailkeep-server.js";

/** 2026-11-22T12:00:00Z. */
export const BEGAN_US = 1_795_348_800_000_000;

export const RECORDS: readonly TrainingRecord[] = [
  { type: "score_history", gameId: "ls20", eventTimeUs: BEGAN_US + 1, score: Number.NaN, scoreType: "best, so far" },
  {
    type: "performance_history",
    gameId: "ls20",
    eventTimeUs: BEGAN_US + 1_000_000,
    score: 9.077012864872811,
    metadata: { text: 'a "quoted"\r\nline', list: [1, null] },
  },
  {
    type: "session_history",
    gameId: "ft09",
    eventTimeUs: BEGAN_US + 2_000_000,
    status: "",
    win: false,
    actionsTaken: 0,
  },
  { type: "frame_tracking", gameId: "ft09", eventTimeUs: BEGAN_US + 3_000_000, frameHash: "f1", frameAnalysis: null },
];

export interface FilledServer {
  readonly server: TailkeepServer;
  readonly client: TailkeepClient;
  readonly folder: string;
  /** Settings with which a command finds it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Session `run-1` has RECORDS and a gap, `run-2` as many scores as asked. */
export async function startFilledServer(scores = 2_500): Promise<FilledServer> {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-cli-"));
  const server = await TailkeepServer.start({ store: `sqlite:${join(folder, "tailkeep.db")}`, cwd: folder });
  const client = connect({ server: server.grpcAddress });
  const one = client.openStream({ sessionId: "run-1", streamId: "only" });
  await one.write(RECORDS);
  one.gap({ count: 3, type: "frame_tracking", cause: "overflow" });
  await one.close();
  const many = client.openStream({ sessionId: "run-2", streamId: "only" });
  await many.write(
    Array.from({ length: scores }, (_, n) => {
      return { type: "score_history", gameId: "ls20", eventTimeUs: BEGAN_US + n * 1_000, score: n } as const;
    }),
  );
  await many.close();
  return {
    server,
    client,
    folder,
    env: { TAILKEEP_SERVER: server.grpcAddress },
    stop: async () => {
      await client.close({ timeoutMs: 1_000 }).catch(() => {});
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
