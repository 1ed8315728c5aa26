/** WriteRecords: one batch without a stream, answered when it is durable. */
import { WriteRecordsRequest, type WriteRecordsResponse } from "@tailkeep/proto";
import { BATCH_BYTES_MAX } from "../limits.js";
import type { RejectedEntry } from "../record/batch.js";
import { decodeBatch } from "../record/decode.js";
import { WIRE_BYTES, Wire } from "../record/wire.js";
import { RpcError } from "../rpc/errors.js";
import { requiredId } from "../rpc/fields.js";
import { strictReader } from "../rpc/strict-reader.js";
import type { Refusal, StreamSession } from "../session/session.js";
import { IngestBudget } from "./budget.js";
import type { IngestContext } from "./ingest-call.js";
import { crowdedError, decodeError, refusalError } from "./refusals.js";

/** Field number of `batch` in WriteRecordsRequest. */
const BATCH_FIELD = 4;

const wire = new Wire();

/** Takes the batch out of the request, so that it is decoded only once, into rows. */
function split(bytes: Buffer): { head: WriteRecordsRequest; start: number; end: number } {
  wire.reset(bytes);
  let start = 0;
  let end = 0;
  const head: Buffer[] = [];
  while (wire.at < bytes.length) {
    const from = wire.at;
    const tag = wire.tag();
    if (tag === ((BATCH_FIELD << 3) | WIRE_BYTES)) {
      const length = wire.length();
      start = wire.at;
      end = start + length;
      wire.at = end;
    } else {
      wire.skip(tag & 7);
      head.push(bytes.subarray(from, wire.at));
    }
  }
  return { head: WriteRecordsRequest.decode(strictReader(Buffer.concat(head))), start, end };
}

function malformed(error: unknown): RpcError {
  return new RpcError("MALFORMED", `request: ${String(error)}; encode it with the stubs of tailkeep.v1`);
}

export async function writeRecords(bytes: Buffer, context: IngestContext): Promise<WriteRecordsResponse> {
  let parts: ReturnType<typeof split>;
  try {
    parts = split(bytes);
  } catch (error) {
    throw malformed(error);
  }
  const { head, start, end } = parts;
  const request = {
    namespace: context.namespace,
    sessionId: requiredId("session_id", head.sessionId),
    streamId: requiredId("stream_id", head.streamId),
    writerId: requiredId("writer_id", head.writerId),
    ackedSeq: 0,
    takeover: false,
    labels: {},
    mode: "attach" as const,
  };
  if (end === 0) throw new RpcError("BAD_FIELD", "batch: is missing; set it");
  const size = end - start;
  if (size > BATCH_BYTES_MAX) {
    throw new RpcError("BATCH_TOO_LARGE", `batch: has ${size} bytes; send at most ${BATCH_BYTES_MAX} in one`);
  }
  const waitMs = context.quota.waitMs();
  if (waitMs > 0) {
    throw new RpcError(
      "RATE_LIMITED",
      "the key has written more than its rate; send less, or wait as long as it says",
      {
        retryAfterMs: waitMs,
      },
    );
  }
  let cost = IngestBudget.cost(bytes.length);
  if (!context.budget.tryCharge(cost)) {
    if (context.budget.crowded) throw crowdedError();
    await new Promise<void>((granted) => context.budget.charge(cost, granted));
  }
  try {
    const batch = decodeBatch(bytes, start, end, context.clock.nowUs());
    cost += context.budget.extend(IngestBudget.decodedCost(batch) - cost);
    context.received(size, batch.rowCount + batch.rejected.length);
    context.quota.take(size, batch.rowCount + batch.rejected.length);
    const done = Promise.withResolvers<{ committedSeq: number; rejected: RejectedEntry[] }>();
    // Whoever waits for it hears of a refusal; it may come while nobody does.
    done.promise.catch(() => undefined);
    const rejected: RejectedEntry[] = [];
    const result = await context.sessions.open(request, {
      progress: (_committedSeq, refused) => rejected.push(...refused),
      drained: () => done.resolve({ committedSeq: session?.committedSeq ?? 0, rejected }),
      refused: (refusal: Refusal) => done.reject(refusalError(refusal)),
    });
    if ("refusal" in result) throw refusalError(result.refusal);
    const session: StreamSession = result.session;
    const outcome = session.accept(batch);
    if (outcome === "ignored") {
      const earlier = await context.earlierRejections(session.identity.key, batch.firstSeq, batch.lastSeq);
      return { committedSeq: BigInt(session.committedSeq), rejected: earlier.map(rejection) };
    }
    if (outcome !== "accepted") throw refusalError(outcome);
    session.halfClose();
    const { committedSeq } = await done.promise;
    return { committedSeq: BigInt(committedSeq), rejected: rejected.map(rejection) };
  } catch (error) {
    throw decodeError(error);
  } finally {
    context.budget.release(cost);
  }
}

function rejection({ seq, reason, field, message }: Pick<RejectedEntry, "seq" | "reason" | "field" | "message">) {
  return { seq: BigInt(seq), reason, field, message };
}
