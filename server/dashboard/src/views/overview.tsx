/** All at a glance: which session is stuck, whether anything was lost, how full memory is. */
import { useEffect, useState } from "preact/hooks";
import { ServerCharts } from "../charts/server-charts.js";
import { useLive } from "../live/live-state.js";
import type { SessionPage, Statistics } from "../model.js";
import { RUNNING } from "../model.js";
import { AttentionList } from "../parts/attention-list.js";
import { HealthCards } from "../parts/health-cards.js";
import { LossTable } from "../parts/loss-table.js";
import { SessionList } from "../parts/session-list.js";
import { StartCommand } from "../parts/start-command.js";
import { useAnswer } from "../use-answer.js";

/** What is asked of the store, and not pushed, is asked for again this often: another server may have changed it. */
const REFRESH_MS = 15_000;

export function Overview() {
  const state = useLive();
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick((count) => count + 1), REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  const version = `${state.sessionsVersion} ${state.lossesVersion} ${tick}`;
  const running = useAnswer<SessionPage>("sessions", { state: RUNNING, page_size: 500 }, version);
  const newest = useAnswer<SessionPage>("sessions", { page_size: 100 }, version);
  const statistics = useAnswer<Statistics>("statistics", {}, version);
  const isEmpty = newest.value?.sessions.length === 0;
  return (
    <>
      <h1 class="visually-hidden">Overview</h1>
      <HealthCards running={running.value} newest={newest.value} statistics={statistics.value} />
      {isEmpty ? (
        <section class="card">
          <h2>No session yet</h2>
          <StartCommand />
        </section>
      ) : (
        <AttentionList running={running.value} newest={newest.value} />
      )}
      <LossTable counts={statistics.value?.counts} version={state.lossesVersion} />
      {!isEmpty && <SessionList version={version} />}
      <ServerCharts />
    </>
  );
}
