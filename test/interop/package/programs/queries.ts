import assert from "node:assert/strict";
import { connect, SETTING_NAMES, TailkeepClient } from "@tailkeep/client";

export async function queries(): Promise<void> {
  await using client = connect();
  assert.ok(client instanceof TailkeepClient);
  const sessionId = `packed-${process.versions.node}`;

  const sessions = await client.history.listSessions().firstPage();
  assert.ok(sessions.items.some((session) => session.sessionId === sessionId));
  await client.history.updateSession(sessionId, { name: "of a packed client", labels: { of: "test" } });
  const session = await client.history.getSession(sessionId);
  assert.equal(session.name, "of a packed client");
  assert.equal(session.counts?.stored, 6 * 25 + 3);

  let records = 0;
  for await (const page of client.history.listRecords({ sessionId, pageSize: 50 }).pages())
    records += page.items.length;
  assert.equal(records, 6 * 25 + 3);
  assert.equal((await client.history.tailRecords({ sessionId, limit: 2 })).length, 2);
  assert.equal((await client.history.getStatistics({ sessionId })).stored.score_history, 25);
  const lines = await client.admin.getLedger({ sessionId }).firstPage();
  assert.equal(lines.items.length, 2);
  assert.deepEqual((await client.admin.listGaps({ sessionId }).firstPage()).items, []);
  assert.deepEqual((await client.admin.listDeadLetters({ sessionId }).firstPage()).items, []);

  const { memoryLimits, sources } = await client.config.get();
  assert.equal(memoryLimits.scoreHistory, 100);
  assert.deepEqual(Object.keys(sources).sort(), [...SETTING_NAMES].sort());
}
