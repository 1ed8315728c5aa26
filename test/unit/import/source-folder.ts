// A directory of small files in the shapes of the earlier system, removed after the test.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

export type Files = Readonly<Record<string, string | Uint8Array | object>>;

export async function sourceFolder(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tailkeep-import-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const isRaw = typeof content === "string" || content instanceof Uint8Array;
    await writeFile(join(folder, path), isRaw ? content : JSON.stringify(content, undefined, 2));
  }
  return folder;
}

export const GAME = "maze-01";

export function episode(timestamp: number, more: object = {}): object {
  return {
    success: false,
    final_score: 3,
    best_score: 5,
    game_state: "GAME_OVER",
    game_id: GAME,
    session: 1,
    actions_taken: 12,
    episode_duration: 1.5,
    timestamp,
    effective_actions: [],
    action_sequences: { sequences: [], patterns: [], strategy_effectiveness: {} },
    ...more,
  };
}

export function session(id: string, startTime: number, episodes: readonly object[]): object {
  const game = {
    game_id: GAME,
    episodes,
    performance_metrics: episodes.length > 0 ? { win_rate: 0.25, average_score: 3, best_score: 5 } : {},
  };
  return {
    session_id: id,
    start_time: startTime,
    games_played: { [GAME]: game },
    overall_performance: { overall_win_rate: 0.25, overall_average_score: 3, learning_efficiency: 0.5 },
    swarm_results: { games_completed: { [GAME]: game } },
    end_time: startTime + 10,
  };
}
