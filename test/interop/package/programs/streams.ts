import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { connect, IngestStream } from "@tailkeep/client";

export async function streams(): Promise<void> {
  const client = connect();
  const sessionId = `streams-${process.versions.node}`;
  const stream = client.openStream({ sessionId });
  assert.ok(stream instanceof IngestStream);
  for (let score = 1; score <= 100; score++) {
    assert.deepEqual(stream.append({ type: "score_history", gameId: "ls20", score }), {
      outcome: "queued",
      seq: score,
    });
  }
  assert.equal(stream.gap({ count: 5, cause: "overflow" }).outcome, "queued");
  await stream.flush();
  await stream.close();

  const streamId = randomUUID();
  const { committedSeq } = await client.writeRecords({
    sessionId,
    streamId,
    writerId: randomUUID(),
    firstSeq: 1,
    records: [{ type: "performance_history", winRate: 0.5, metadata: { note: "unary" } }],
  });
  assert.equal(committedSeq, 1);
  const gaps = await client.admin.listGaps({ sessionId }).firstPage();
  assert.equal(gaps.items.length, 1);
  await client.close();
}
