/** One session: how it is doing, what it lost, its charts, and what it writes right now. */
import { useEffect, useState } from "preact/hooks";
import { SessionCharts } from "../charts/session-charts.js";
import { useLive } from "../live/live-state.js";
import type { DeadLetter, Gap, Session, Statistics } from "../model.js";
import { FrameTimeline } from "../parts/frame-timeline.js";
import { HeatMap } from "../parts/heat-map.js";
import { LedgerTable } from "../parts/ledger-table.js";
import { LiveTail } from "../parts/live-tail.js";
import { LossTable } from "../parts/loss-table.js";
import { Notice } from "../parts/notice.js";
import { SessionHeader } from "../parts/session-header.js";
import { WhenSeen } from "../parts/when-seen.js";
import { useAnswer } from "../use-answer.js";

/** Views of records are made of thousands of them: asked for anew this seldom while a session is being written. */
const RECORDS_REFRESH_MS = 30_000;
const COUNTS_REFRESH_MS = 3_000;
const MARKS_MAX = 1_000;
const COORDINATES = 6;
const FRAMES = 7;

export function SessionView({ sessionId }: { sessionId: string }) {
  const { sessionsVersion, activity } = useLive();
  const news = activity.get(sessionId)?.news ?? 0;
  const counted = useEvery(COUNTS_REFRESH_MS, news);
  const drawn = useEvery(RECORDS_REFRESH_MS, news);
  const query = { session: sessionId };
  const version = `${sessionsVersion} ${counted}`;
  const session = useAnswer<Session>("session", query, version);
  const statistics = useAnswer<Statistics>("statistics", query, version);
  const counts = statistics.value?.counts;
  const lost = `${counts?.gapped} ${counts?.rejected}`;
  const gaps = useAnswer<{ gaps: Gap[] }>(
    counts?.gapped ? "gaps" : undefined,
    { ...query, page_size: MARKS_MAX },
    lost,
  );
  const letters = useAnswer<{ deadLetters: DeadLetter[] }>(
    counts?.rejected ? "dead-letters" : undefined,
    { ...query, page_size: MARKS_MAX },
    lost,
  );
  if (session.error?.status === 404) {
    return (
      <Notice tone="bad">
        There is no session <bdi>{sessionId}</bdi>; it may have been deleted. <a href="#/">Go to the overview</a>
      </Notice>
    );
  }
  if (session.value === undefined) {
    return session.error === undefined ? (
      <p class="muted">Asking the server …</p>
    ) : (
      <Notice tone="bad">{session.error.message}</Notice>
    );
  }
  const losses = { gaps: gaps.value?.gaps ?? [], letters: letters.value?.deadLetters ?? [] };
  return (
    <>
      <SessionHeader session={session.value} statistics={statistics.value} />
      <LossTable sessionId={sessionId} counts={counts} version={counted} />
      <SessionCharts session={session.value} losses={losses} />
      <LiveTail />
      {(stored(statistics.value, COORDINATES) > 0 || stored(statistics.value, FRAMES) > 0) && (
        <WhenSeen>
          <div class="two">
            {stored(statistics.value, COORDINATES) > 0 && <HeatMap sessionId={sessionId} version={drawn} />}
            {stored(statistics.value, FRAMES) > 0 && <FrameTimeline sessionId={sessionId} version={drawn} />}
          </div>
        </WhenSeen>
      )}
      <LedgerTable sessionId={sessionId} version={version} />
    </>
  );
}

function stored(statistics: Statistics | undefined, type: number): number {
  return statistics?.stored.find((each) => each.type === type)?.count ?? 0;
}

/** Moves at most once in `ms`, and only where `value` has moved. */
function useEvery(ms: number, value: number): number {
  const [taken, setTaken] = useState(value);
  useEffect(() => {
    if (taken === value) return;
    const timer = setTimeout(() => setTaken(value), taken === 0 ? 0 : ms);
    return () => clearTimeout(timer);
    // While a timer runs, newer values wait for the next one.
  }, [taken === value, taken]);
  return taken;
}
