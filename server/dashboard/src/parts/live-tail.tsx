import { useRef, useState } from "preact/hooks";
import { clock, whole } from "../format.js";
import { type TailItem, useLive } from "../live/live-state.js";
import { GAP_CAUSES, TYPE_NAMES, TYPE_OF_CASE } from "../model.js";

/** The watched session's newest records as they are stored, newest first. */
export function LiveTail() {
  const { tail } = useLive();
  const [isPaused, setPaused] = useState(false);
  const [type, setType] = useState(0);
  const frozen = useRef(tail);
  if (!isPaused) frozen.current = tail;
  const items = frozen.current
    .filter((item) => type === 0 || item.kind !== "record" || typeOf(item) === type)
    .toReversed();
  return (
    <section class="card" aria-labelledby="tail">
      <div class="row">
        <h2 id="tail">Live tail</h2>
        <div class="actions">
          <label class="inline">
            Type
            <select value={type} onChange={(event) => setType(Number(event.currentTarget.value))}>
              <option value={0}>all</option>
              {Object.entries(TYPE_NAMES).map(([value, name]) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            {isPaused ? "Go on" : "Pause"}
          </button>
        </div>
      </div>
      {items.length === 0 ? (
        <p class="muted">Nothing yet. Records appear here as they are stored.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it can be scrolled with the arrow keys only where it has the focus
        <section class="tail" tabIndex={0} aria-label="Newest records, newest first">
          <table>
            <thead>
              <tr>
                <th scope="col" class="figure">
                  Time
                </th>
                <th scope="col">Type</th>
                <th scope="col">Game</th>
                <th scope="col">What</th>
                <th scope="col" class="figure">
                  Number
                </th>
              </tr>
            </thead>
            <tbody>{items.map(rowOf)}</tbody>
          </table>
        </section>
      )}
    </section>
  );
}

function typeOf(item: TailItem): number {
  return item.kind === "record" ? (TYPE_OF_CASE[item.record.record.kind.$case] ?? 0) : 0;
}

function rowOf(item: TailItem) {
  if (item.kind === "record") {
    const { record, seq, streamId } = item.record;
    const { gameId, ...fields } = record.kind.value;
    return (
      <tr key={`${streamId} ${seq}`}>
        <td class="figure">{clock(record.eventTimeUs)}</td>
        <td>{TYPE_NAMES[typeOf(item)]}</td>
        <td dir="auto">{String(gameId ?? "")}</td>
        <td class="fields" dir="auto">
          {fieldsText(fields)}
        </td>
        <td class="figure">{whole(seq)}</td>
      </tr>
    );
  }
  const isGap = item.kind === "gap";
  const { streamId, firstSeq, lastSeq } = isGap ? item.gap : item;
  const count = whole(lastSeq - firstSeq + 1);
  return (
    <tr key={`${item.kind} ${streamId} ${firstSeq}`} class="lost">
      <td />
      <td>{isGap ? "gap" : "skipped"}</td>
      <td />
      <td>
        {isGap
          ? `${count} records lost: ${GAP_CAUSES[item.gap.cause] ?? "unknown"}`
          : `${count} stored, but not shown: this page was too slow for them`}
      </td>
      <td class="figure">
        {whole(firstSeq)}–{whole(lastSeq)}
      </td>
    </tr>
  );
}

const CHARS_MAX = 240;

function fieldsText(fields: Record<string, unknown>): string {
  const text = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(
      ([name, value]) =>
        `${name.replace(/Json$/, "")}=${typeof value === "number" ? Number(value.toPrecision(6)) : String(value)}`,
    )
    .join("  ");
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text;
}
