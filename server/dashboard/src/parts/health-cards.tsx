import type { ComponentChildren } from "preact";
import { plural, short, whole } from "../format.js";
import { useLive } from "../live/live-state.js";
import { LOST, type SessionPage, type Statistics } from "../model.js";
import { isQuiet, nowMsOf, useQuietMinutes } from "../quiet.js";
import { useServer } from "../server-context.js";
import { Meter } from "./meter.js";
import { Sign, type Tone } from "./notice.js";

interface CardProps {
  id: string;
  title: string;
  tone: Tone;
  verdict: string;
  children?: ComponentChildren;
}

function Card({ id, title, tone, verdict, children }: CardProps) {
  return (
    <article class="card health" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p class={`verdict ${tone}`}>
        <Sign tone={tone} /> {verdict}
      </p>
      {children}
    </article>
  );
}

interface Props {
  running: SessionPage | undefined;
  newest: SessionPage | undefined;
  statistics: Statistics | undefined;
}

/** The four questions that an operator has, each with its answer in words. */
export function HealthCards(props: Props) {
  return (
    <div class="cards">
      <SessionsCard {...props} />
      <LossCard statistics={props.statistics} />
      <MemoryCard />
      <StoreCard />
    </div>
  );
}

function SessionsCard({ running, newest, statistics }: Props) {
  const state = useLive();
  const [minutes] = useQuietMinutes();
  const nowMs = nowMsOf(state);
  const sessions = running?.sessions ?? [];
  const quiet = sessions.filter((session) => isQuiet(session, state, nowMs, minutes)).length;
  const lost = newest?.sessions.filter((session) => session.state === LOST).length ?? 0;
  const more = running?.nextPageToken ? "+" : "";
  const verdict =
    quiet > 0
      ? `${plural(quiet, "session")} may be stuck`
      : sessions.length === 0
        ? "None is running"
        : `${whole(sessions.length)}${more} running, none quiet`;
  return (
    <Card id="health-sessions" title="Sessions" tone={quiet > 0 ? "warn" : "good"} verdict={verdict}>
      <ul class="facts">
        <li>
          {whole(sessions.length)}
          {more} running, {whole(statistics?.sessionCount ?? 0)} in all
        </li>
        <li>
          {lost === 0 ? "None of the newest 100 went silent" : `${whole(lost)} of the newest 100 went silent (lost)`}
        </li>
        <li>{plural(state.now?.openStreams ?? 0, "open stream")}</li>
      </ul>
    </Card>
  );
}

function LossCard({ statistics }: { statistics: Statistics | undefined }) {
  const { gapped, rejected, stored } = statistics?.counts ?? { gapped: 0, rejected: 0, stored: 0 };
  const isWhole = gapped === 0 && rejected === 0;
  const parts = [
    ...(gapped > 0 ? [`${plural(gapped, "record")} dropped by trainers`] : []),
    ...(rejected > 0 ? [`${plural(rejected, "dead letter")}`] : []),
  ];
  return (
    <Card
      id="health-losses"
      title="Losses"
      tone={statistics === undefined ? "plain" : isWhole ? "good" : "bad"}
      verdict={statistics === undefined ? "Asking …" : isWhole ? "Nothing was lost" : parts.join(", ")}
    >
      <ul class="facts">
        <li>{plural(stored, "record")} stored</li>
        <li>
          {plural(gapped, "record")} in gaps, {plural(rejected, "dead letter")}
        </li>
        {!isWhole && (
          <li>
            <button type="button" class="link" onClick={showLosses}>
              See what was lost
            </button>
          </li>
        )}
      </ul>
    </Card>
  );
}

function showLosses(): void {
  const place = document.getElementById("losses");
  place?.scrollIntoView();
  place?.focus();
}

function MemoryCard() {
  const { now } = useLive();
  if (now === undefined) return <Card id="health-memory" title="Memory" tone="plain" verdict="Asking …" />;
  const share = Math.max(
    now.residentBytes / now.residentBytesMax,
    now.ingestBytesMax > 0 ? now.ingestBytes / now.ingestBytesMax : 0,
  );
  const tone = share > 0.9 ? "bad" : share > 0.75 ? "warn" : "good";
  const verdict = `${Math.round(share * 100)} % full${share > 0.9 ? ": trainers may have to wait" : ""}`;
  return (
    <Card id="health-memory" title="Memory" tone={tone} verdict={verdict}>
      <Meter label="Whole process" used={now.residentBytes} max={now.residentBytesMax} />
      <Meter label="Batches not yet stored" used={now.ingestBytes} max={now.ingestBytesMax} />
      <Meter label="Newest records" used={now.cacheBytes} max={now.cacheBytesMax} />
    </Card>
  );
}

function StoreCard() {
  const { now } = useLive();
  const { audit, version, expiryHeld } = useServer();
  if (now === undefined) return <Card id="health-store" title="Store" tone="plain" verdict="Asking …" />;
  const tone = !now.storeUp ? "bad" : now.durable && !expiryHeld ? "good" : "warn";
  const verdict = !now.storeUp
    ? `Not answering: ${now.problem ?? "trying again"}`
    : now.durable
      ? "Answering, durable"
      : "Answering, but acked records may not survive a power cut";
  return (
    <Card id="health-store" title="Store" tone={tone} verdict={verdict}>
      <ul class="facts">
        <li>
          {short(now.receivedPerSecond)} records/s received, {short(now.committedPerSecond)}/s stored
        </li>
        <li>{plural(now.waitingRecords, "record")} waiting for their transaction</li>
        <li>
          {audit?.engine ?? "unknown engine"}, Tailkeep {version}
        </li>
        {expiryHeld && <li>Nothing expires: clocks disagree; see the log</li>}
      </ul>
    </Card>
  );
}
