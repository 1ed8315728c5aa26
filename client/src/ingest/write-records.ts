/** One batch without a stream, for callers that cannot hold one. Repeating a call is harmless. */

import { IngestServiceService, type WriteRecordsRequest } from "@tailkeep/proto";
import type { EncodedBatch } from "../encode/encoded-batch.js";
import { OpenBatch } from "../encode/open-batch.js";
import { lengthWidth, writeLength } from "../encode/wire-buffer.js";
import { InvalidArgumentError } from "../errors/errors.js";
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX } from "../limits.js";
import { id } from "../records/id.js";
import type { AckedRejection } from "../records/rejection.js";
import { rejectionOf } from "../records/rejection.js";
import { safeNumber } from "../records/safe-number.js";
import type { TrainingRecord } from "../records/training-record.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";

/** Records and their numbers. */
export interface WriteRecordsInput {
  /** @default the client's session */
  readonly sessionId?: string | undefined;
  /** The stream, 1 to 128 characters. */
  readonly streamId: string;
  /** The same for all calls of this writer, 1 to 128 characters. */
  readonly writerId: string;
  /** Number of the first record; the caller counts from 1 without holes. */
  readonly firstSeq: number;
  /** 1 to 4,096 records, in all at most 1 MiB encoded. */
  readonly records: readonly TrainingRecord[];
}

/** Everything up to `committedSeq` is durable. */
export interface WriteRecordsResult {
  readonly committedSeq: number;
  /** Those of this call that were refused; they are in the dead letters. */
  readonly rejected: readonly AckedRejection[];
}

const { path, requestSerialize, responseDeserialize } = IngestServiceService.writeRecords;
const TAG_BATCH = 0x22;

/** Throws UnencodableError or InvalidArgumentError before anything is sent. */
export async function writeRecords(
  caller: UnaryCaller,
  input: WriteRecordsInput & { readonly sessionId: string },
  options: CallOptions = {},
): Promise<WriteRecordsResult> {
  const batch = encode(input);
  const answer = await caller.call(
    { path, requestSerialize: (request: WriteRecordsRequest) => withBatch(request, batch), responseDeserialize },
    {
      sessionId: id(input.sessionId, "sessionId"),
      streamId: id(input.streamId, "streamId"),
      writerId: id(input.writerId, "writerId"),
      batch: undefined,
    },
    options,
  );
  return {
    committedSeq: safeNumber(answer.committedSeq, "committed_seq"),
    rejected: answer.rejected.map(rejectionOf),
  };
}

function encode({ firstSeq, records }: WriteRecordsInput): EncodedBatch {
  if (!Number.isSafeInteger(firstSeq) || firstSeq < 1) throw bad(`firstSeq must be 1 or more, but is ${firstSeq}`);
  if (records.length < 1 || records.length > BATCH_ENTRIES_MAX) {
    throw bad(`a call takes 1 to ${BATCH_ENTRIES_MAX} records, but was given ${records.length}`);
  }
  const open = new OpenBatch();
  for (const record of records) {
    if (open.append(record) >= 0)
      throw bad(`the records take more than ${BATCH_BYTES_MAX} bytes: write fewer at a time`);
  }
  return open.seal(firstSeq);
}

/** Appends the batch, which is encoded already, to the other fields. */
function withBatch(request: WriteRecordsRequest, batch: EncodedBatch): Buffer {
  const fields = requestSerialize(request);
  const body = batch.recordBatch();
  const head = Buffer.allocUnsafe(1 + lengthWidth(body.length));
  head[0] = TAG_BATCH;
  writeLength(head, 1, body.length);
  return Buffer.concat([fields, head, body]);
}

function bad(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: "BAD_FIELD", retryable: false, grpcStatus: 3 });
}
