/** The newest records of one type of a session, up to a limit, for views that are made of records and not of sums. */
import { ListRecordsRequest, type ListRecordsResponse, type RecordType, type StoredRecord } from "@tailkeep/proto";
import { PAGE_SIZE_MAX } from "../../limits.js";
import type { Ask } from "./ask.js";

/** Newest first; `complete` where there are no older ones. */
export async function newestRecords(
  ask: Ask,
  type: RecordType,
  max: number,
  take: (record: StoredRecord) => void,
): Promise<{ records: number; complete: boolean }> {
  const { params } = ask;
  const [sessionId, gameId] = [params.text("session"), params.text("game")];
  let records = 0;
  let pageToken = "";
  while (records < max) {
    const request = ListRecordsRequest.fromPartial({
      sessionId,
      gameId,
      types: [type],
      pageSize: Math.min(PAGE_SIZE_MAX, max - records),
      pageToken,
    });
    const page = (await ask.call("listRecords", ListRecordsRequest, request)) as ListRecordsResponse;
    for (const record of page.records) take(record);
    records += page.records.length;
    pageToken = page.nextPageToken;
    if (pageToken === "") return { records, complete: true };
  }
  return { records, complete: false };
}
