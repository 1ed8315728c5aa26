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

/** Rows of a table that expired, or would. */
export interface ExpiredRows {
  /** `score_history_rows`, `gaps`, ... */
  readonly table: string;
  /** On MySQL the database's estimate. */
  readonly rows: number;
}

/** How long records are kept, and what becomes of them then. */
export interface Retention {
  /** The day that rows are stored under now: `2026-11-22`. */
  readonly storingDay: string;
  /** Days that records of the caller's namespace are kept which the answering server stores from now on. */
  readonly days: Readonly<Record<RecordTypeName, number>>;
  /** Why nothing is removed at present: the clocks disagree. Undefined where it is. */
  readonly heldBecause: string | undefined;
  /** What a run now would remove. */
  readonly due: readonly ExpiredRows[];
  /** Runs that removed something, newest first, at most 100; times in microseconds since 1970. */
  readonly runs: readonly {
    readonly endedAtUs: number;
    readonly storingDay: string;
    readonly removed: readonly ExpiredRows[];
  }[];
  /** Sessions that are pinned, in all namespaces. */
  readonly pinnedSessions: number;
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

  /** How long records are kept, what would be removed now, and what was removed lately. */
  async getRetention(options: CallOptions = {}): Promise<Retention> {
    const answer = await this.#caller.call(service.getRetention, {}, options);
    const days = answer.types.flatMap(({ type, days: each }) => {
      const name = recordTypeName(type);
      return name === undefined ? [] : [[name, each] as const];
    });
    return {
      storingDay: answer.storingDay,
      days: Object.fromEntries(days) as Record<RecordTypeName, number>,
      heldBecause: answer.heldBecause || undefined,
      due: answer.due.map(expiredRows),
      runs: answer.runs.map(({ endedAtUs, storingDay, removed }) => ({
        endedAtUs: safeNumber(endedAtUs, "ended_at_us"),
        storingDay,
        removed: removed.map(expiredRows),
      })),
      pinnedSessions: safeNumber(answer.pinnedSessions, "pinned_sessions"),
    };
  }

  /**
   * Says which day it is, where `heldBecause` of `getRetention` asks for it: what has had its days goes with the next run.
   *
   * @param day today by a calendar, as 2026-11-22
   * @throws FailedPreconditionError CLOCKS_APART where a clock of the server or its database is more than a day from it
   */
  async confirmStoringDay(day: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.call(service.confirmStoringDay, { day }, options);
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

function expiredRows({ table, rows }: wire.ExpiredRows): ExpiredRows {
  return { table, rows: safeNumber(rows, "rows") };
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
