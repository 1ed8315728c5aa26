/** What was lost and why. */

import * as wire from "@tailkeep/proto";
import { recordTypeName } from "../records/names.js";
import type { AckedRejection } from "../records/rejection.js";
import { rejectionOf } from "../records/rejection.js";
import { safeNumber } from "../records/safe-number.js";
import { type HistoryGap, historyGap, trainingRecord } from "../records/stored.js";
import type { StreamTotals } from "../records/totals.js";
import { streamTotals } from "../records/totals.js";
import type { RecordTypeName, TrainingRecord } from "../records/training-record.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";
import { type Listing, listing } from "./pages.js";

/** A record that could not be stored. */
export interface DeadLetter {
  readonly sessionId: string;
  readonly streamId: string;
  readonly rejection: AckedRejection | undefined;
  readonly type: RecordTypeName | undefined;
  /** As it was sent; absent where the quota for bodies was used up. */
  readonly record: TrainingRecord | undefined;
  /** When it was stored: microseconds since 1970. */
  readonly createdAtUs: number;
}

/** Where the numbers of one stream went: stored + rejected + gapped = committedSeq. */
export interface LedgerLine {
  readonly streamId: string;
  readonly writerId: string;
  /** How often it was opened. */
  readonly epoch: number;
  readonly committedSeq: number;
  readonly counts: StreamTotals;
}

/** What to list, and how much of it. */
export interface AdminListQuestion {
  /** Only this session. @default all */
  readonly sessionId?: string | undefined;
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number | undefined;
  /** From an earlier page. @default the first page */
  readonly pageToken?: string | undefined;
  /** Stop after this many. @default all */
  readonly limit?: number | undefined;
}

const service = wire.AdminServiceService;

/** `client.admin`. */
export class AdminClient {
  readonly #caller: UnaryCaller;

  constructor(caller: UnaryCaller) {
    this.#caller = caller;
  }

  /** Declared gaps, by stream and number. */
  listGaps(question: AdminListQuestion = {}, options: CallOptions = {}): Listing<HistoryGap> {
    return this.#listing(question, async (request) => {
      const answer = await this.#caller.call(service.listGaps, request, options);
      return { items: answer.gaps.map(historyGap), nextPageToken: answer.nextPageToken };
    });
  }

  /** Records that could not be stored, by stream and number. */
  listDeadLetters(question: AdminListQuestion = {}, options: CallOptions = {}): Listing<DeadLetter> {
    return this.#listing(question, async (request) => {
      const answer = await this.#caller.call(service.listDeadLetters, request, options);
      return { items: answer.deadLetters.map(deadLetter), nextPageToken: answer.nextPageToken };
    });
  }

  /** A line for each stream of a session. */
  getLedger(
    question: Omit<AdminListQuestion, "sessionId"> & { readonly sessionId: string },
    options: CallOptions = {},
  ): Listing<LedgerLine> {
    return this.#listing(question, async (request) => {
      const answer = await this.#caller.call(service.getLedger, request, options);
      return { items: answer.streams.map(ledgerLine), nextPageToken: answer.nextPageToken };
    });
  }

  #listing<Item>(
    question: AdminListQuestion,
    fetch: (request: wire.ListGapsRequest) => Promise<{ items: Item[]; nextPageToken: string }>,
  ): Listing<Item> {
    const request = { sessionId: question.sessionId ?? "", pageSize: question.pageSize ?? 0 };
    return listing((pageToken) => fetch({ ...request, pageToken }), {
      pageToken: question.pageToken,
      itemsMax: question.limit,
    });
  }
}

function deadLetter(letter: wire.DeadLetter): DeadLetter {
  return {
    sessionId: letter.sessionId,
    streamId: letter.streamId,
    rejection: letter.rejection === undefined ? undefined : rejectionOf(letter.rejection),
    type: recordTypeName(letter.type),
    record: letter.record === undefined ? undefined : trainingRecord(letter.record),
    createdAtUs: safeNumber(letter.createdAtUs, "created_at_us"),
  };
}

function ledgerLine(line: wire.StreamLedger): LedgerLine {
  return {
    streamId: line.streamId,
    writerId: line.writerId,
    epoch: safeNumber(line.epoch, "epoch"),
    committedSeq: safeNumber(line.committedSeq, "committed_seq"),
    counts: streamTotals(line.counts),
  };
}
