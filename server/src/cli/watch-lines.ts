/** What happens in a session as lines: for people, and as JSON for programs. */
import type { HistoryRecord, WatchEvent } from "@tailkeep/client";
import { isoTime, rowOf } from "../export/index.js";

/** Columns that every line begins with, or that are the same on all of them. */
const SHOWN_APART = new Set(["type", "session_id", "stream_id", "seq", "timestamp"]);

const TYPE_WIDTH = "coordinate_tracking".length;

/** JSON of a frame may fill screens. */
const JSON_CHARS_MAX = 120;

export function eventLine(event: WatchEvent): string {
  switch (event.event) {
    case "record":
      return recordLine(event.record);
    case "gap": {
      const { streamId, firstSeq, lastSeq, cause, type } = event.gap;
      const lost = lastSeq - firstSeq + 1;
      return `-- lost: ${lost} ${type ?? "records"} (${firstSeq} to ${lastSeq} of stream ${shown(streamId)}), declared by their writer: ${cause}`;
    }
    case "missed":
      return (
        `-- not shown: ${event.firstSeq} to ${event.lastSeq} of stream ${shown(event.streamId)}, ` +
        "committed faster than this reads; they are stored"
      );
    case "caughtUp":
      return "-- up to date";
  }
}

function recordLine(record: HistoryRecord): string {
  const { type, seq, eventTimeUs } = record;
  // Milliseconds are what people compare.
  const time = `${isoTime(eventTimeUs).slice(0, 23).replace("T", " ")}`;
  const columns = Object.entries(rowOf(record))
    .filter(([name, value]) => value !== null && !SHOWN_APART.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? shown(value) : shortened(JSON.stringify(value))}`);
  return `${time}  ${type.padEnd(TYPE_WIDTH)}  #${seq}  ${columns.join(" ")}`;
}

export function eventJson(event: WatchEvent): string {
  switch (event.event) {
    case "record":
      return JSON.stringify({ event: "record", ...rowOf(event.record) });
    case "gap": {
      const { sessionId, streamId, firstSeq, lastSeq, type, cause } = event.gap;
      const lost = { session_id: sessionId, stream_id: streamId, first_seq: firstSeq, last_seq: lastSeq };
      return JSON.stringify({ event: "gap", ...lost, type: type ?? null, cause });
    }
    case "missed":
      return JSON.stringify({
        event: "missed",
        stream_id: event.streamId,
        first_seq: event.firstSeq,
        last_seq: event.lastSeq,
      });
    case "caughtUp":
      return JSON.stringify({ event: "caught_up", cursor: event.cursor });
  }
}

/** Bare where it is a word; quoted where a space or anything that a terminal might obey is in it. */
function shown(text: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(text) && !/["=\\]/.test(text) ? text : escaped(text);
}

/** JSON leaves the C1 controls and the marks that turn text around as they are. */
function escaped(text: string): string {
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}]/gu, (mark) => {
    return `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function shortened(json: string): string {
  return json.length <= JSON_CHARS_MAX ? json : `${json.slice(0, JSON_CHARS_MAX)}...`;
}
