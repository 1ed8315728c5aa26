import { useState } from "preact/hooks";
import { patch } from "../api.js";
import { ago, date, duration, plural, whole } from "../format.js";
import { live, useLive } from "../live/live-state.js";
import { LOST, RUNNING, type Session, type Statistics, TYPE_NAMES, titleOf } from "../model.js";
import { isQuiet, lastWrittenMs, nowMsOf, useQuietMinutes } from "../quiet.js";
import { useMay } from "../server-context.js";
import { DeleteDialog } from "./delete-dialog.js";
import { EditDialog } from "./edit-dialog.js";
import { Notice } from "./notice.js";
import { Labels } from "./session-list.js";
import { StateBadge } from "./state-badge.js";

/** Who it is, how it is doing, and what can be done about it. */
export function SessionHeader({ session, statistics }: { session: Session; statistics: Statistics | undefined }) {
  const state = useLive();
  const may = useMay();
  const [minutes] = useQuietMinutes();
  const [dialog, setDialog] = useState<"edit" | "delete">();
  const [problem, setProblem] = useState("");
  const nowMs = nowMsOf(state);
  const silentMs = nowMs - lastWrittenMs(session, state);
  const quiet = isQuiet(session, state, nowMs, minutes);
  const togglePin = async () => {
    try {
      await patch("session", { session: session.sessionId }, { pinned: !session.pinned });
      setProblem("");
      live.refreshSessions();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <section class="card" aria-labelledby="title">
      <div class="row">
        <div class="title">
          <p class="small">
            <a href="#/">All sessions</a>
          </p>
          <h1 id="title" dir="auto">
            {titleOf(session)}
          </h1>
          {session.name !== "" && (
            <p class="muted small">
              <bdi>{session.sessionId}</bdi>
            </p>
          )}
        </div>
        <div class="actions">
          {may.edit && (
            <>
              <button type="button" onClick={() => setDialog("edit")}>
                Rename or label
              </button>
              <button type="button" aria-pressed={session.pinned} onClick={() => void togglePin()}>
                {session.pinned ? "Pinned: never expires" : "Pin"}
              </button>
            </>
          )}
          {may.remove && (
            <button type="button" class="danger" onClick={() => setDialog("delete")}>
              Delete
            </button>
          )}
        </div>
      </div>
      {problem !== "" && <Notice tone="bad">{problem}</Notice>}
      <div class="row start">
        <StateBadge state={session.state} quiet={quiet} />
        <Labels labels={session.labels} />
      </div>
      {quiet && (
        <Notice tone="warn">
          Nothing for {duration(silentMs)}: its trainer may be stuck. Look at its process and its log.
        </Notice>
      )}
      {session.state === LOST && (
        <Notice tone="bad">
          It went silent {ago(silentMs)} without ending. What it had sent is here; what it had spilled to its disk comes
          when it is started again.
        </Notice>
      )}
      <dl class="figures">
        <div>
          <dt>Last record</dt>
          <dd>{ago(silentMs)}</dd>
        </div>
        <div>
          <dt>Started</dt>
          <dd>{date(session.startedAtUs)}</dd>
        </div>
        {session.state !== RUNNING && session.endedAtUs !== undefined && (
          <div>
            <dt>Ended</dt>
            <dd>{date(session.endedAtUs)}</dd>
          </div>
        )}
        <div>
          <dt>Lost</dt>
          <dd>{lostWords(statistics)}</dd>
        </div>
        {statistics?.stored.map(({ type, count }) => (
          <div key={type}>
            <dt>{TYPE_NAMES[type]} records</dt>
            <dd>{whole(count)}</dd>
          </div>
        ))}
      </dl>
      {dialog === "edit" && <EditDialog session={session} onClose={() => setDialog(undefined)} />}
      {dialog === "delete" && <DeleteDialog session={session} onClose={() => setDialog(undefined)} />}
    </section>
  );
}

function lostWords(statistics: Statistics | undefined): string {
  if (statistics === undefined) return "…";
  const { gapped, rejected } = statistics.counts;
  if (gapped === 0 && rejected === 0) return "nothing";
  return `${plural(gapped, "record")}, ${plural(rejected, "dead letter")}`;
}
