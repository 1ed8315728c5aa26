import { ago, duration } from "../format.js";
import { useLive } from "../live/live-state.js";
import { LOST, type Session, type SessionPage, titleOf } from "../model.js";
import { isQuiet, lastWrittenMs, nowMsOf, QUIET_MINUTES, useQuietMinutes } from "../quiet.js";
import { sessionHref } from "../route.js";
import { Sign } from "./notice.js";

/** Lost sessions stand here for a day; the list below has all of them. */
const LOST_SHOWN_MS = 86_400_000;
const SHOWN_MAX = 12;

/** Sessions that somebody should look at, longest silent first. */
export function AttentionList({
  running,
  newest,
}: {
  running: SessionPage | undefined;
  newest: SessionPage | undefined;
}) {
  const state = useLive();
  const [minutes, setMinutes] = useQuietMinutes();
  const nowMs = nowMsOf(state);
  const quiet = (running?.sessions ?? []).filter((session) => isQuiet(session, state, nowMs, minutes));
  const lost = (newest?.sessions ?? []).filter(
    (session) => session.state === LOST && nowMs - session.lastSeenAtUs / 1_000 < LOST_SHOWN_MS,
  );
  const all = [...quiet, ...lost].sort((a, b) => lastWrittenMs(a, state) - lastWrittenMs(b, state));
  return (
    <section class="card" aria-labelledby="attention">
      <div class="row">
        <h2 id="attention">Needs a look</h2>
        <label class="inline">
          Quiet after{" "}
          <select value={minutes} onChange={(event) => setMinutes(Number(event.currentTarget.value))}>
            {QUIET_MINUTES.map((each) => (
              <option key={each} value={each}>
                {each} min
              </option>
            ))}
          </select>
        </label>
      </div>
      {all.length === 0 ? (
        <p class="verdict good">
          <Sign tone="good" /> Every running session wrote within the last {minutes} min, and none was lost today.
        </p>
      ) : (
        <ul class="attention">
          {all.slice(0, SHOWN_MAX).map((session) => (
            <li key={session.sessionId}>
              <Sign tone={session.state === LOST ? "bad" : "warn"} />
              <a href={sessionHref(session.sessionId)} dir="auto">
                {titleOf(session)}
              </a>
              <span class="muted">{words(session, nowMs - lastWrittenMs(session, state))}</span>
            </li>
          ))}
          {all.length > SHOWN_MAX && <li class="muted">and {all.length - SHOWN_MAX} more</li>}
        </ul>
      )}
    </section>
  );
}

function words(session: Session, silentMs: number): string {
  return session.state === LOST ? `lost: last heard of ${ago(silentMs)}` : `nothing for ${duration(silentMs)}`;
}
