/** Reads records page by page and hands them on; memory holds one page, however long the history is. */
import type { HistoryRecord, ListRecordsQuestion, TailkeepClient } from "@tailkeep/client";
import type { Format } from "./formats.js";
import type { Sink } from "./sink.js";

/** Takes records and makes a file or lines of them. */
export interface RecordSink {
  /** Before the first record. False, here and below: the reader has enough. */
  begin(): Promise<boolean>;
  write(records: readonly HistoryRecord[]): Promise<boolean>;
  /** Everything is written. */
  finish(): Promise<void>;
  /** It failed: what there is of it goes. */
  discard(): Promise<void>;
}

export function linesTo(sink: Sink, format: Format): RecordSink {
  return {
    begin: () => (format.head === "" ? Promise.resolve(true) : sink.write(format.head)),
    write: (records) => sink.write(records.map((record) => format.line(record)).join("")),
    finish: () => sink.finish(),
    discard: () => sink.discard(),
  };
}

/** The largest page; it also ends at 2 MiB. */
const PAGE_SIZE = 1_000;

export type ExportQuestion = Omit<ListRecordsQuestion, "pageSize" | "pageToken" | "limit">;

export interface ExportResult {
  readonly records: number;
  readonly sessions: number;
  /** The reader had enough before the end. */
  readonly isCutShort: boolean;
}

/** Without session and game: every session, one after the other, the most recently started first. */
export async function runExport(
  client: TailkeepClient,
  question: ExportQuestion,
  sink: RecordSink,
  onProgress: (records: number) => void = () => {},
): Promise<ExportResult> {
  let records = 0;
  let sessions = 0;
  let isWanted = await sink.begin();
  const exportOne = async (one: ExportQuestion) => {
    sessions++;
    for await (const page of client.history.listRecords({ ...one, pageSize: PAGE_SIZE }).pages()) {
      isWanted = await sink.write(page.items);
      if (!isWanted) return;
      records += page.items.length;
      onProgress(records);
    }
  };
  if (question.sessionId !== undefined || question.gameId !== undefined) {
    if (isWanted) await exportOne(question);
  } else {
    for await (const { sessionId } of client.history.listSessions({ pageSize: PAGE_SIZE })) {
      if (!isWanted) break;
      await exportOne({ ...question, sessionId });
    }
  }
  return { records, sessions, isCutShort: !isWanted };
}
