// Doubles come back bit for bit: most of all those whose digits make a whole number above 2^53.
import { connect } from "@tailkeep/client";
import { expect, test } from "vitest";
import { isSkipped, sharedMysqlFamily } from "../support/databases/index.js";
import { TailkeepServer } from "../support/tailkeep-server.js";

const DOUBLES = [
  9.077012864872811,
  99817512.09124924,
  96403765259.3106,
  -0.0000034502777596935634,
  9_007_199_254_740_994,
  1.7976931348623157e308,
  5e-324,
  0.1 + 0.2,
  ...Array.from({ length: 2_000 }, (_, n) => (1 + Math.sin(n)) * 10 ** ((n % 30) - 10)),
];

test("MySQL gives back the doubles that it was given", async (context) => {
  const database = await sharedMysqlFamily();
  if (isSkipped(database)) return context.skip(database.skipped);
  const server = await TailkeepServer.start({ store: database.url(await database.createDatabase()) });
  const client = connect({ server: server.grpcAddress, sessionId: "doubles" });
  try {
    const stream = client.openStream();
    await stream.write(DOUBLES.map((score, n) => ({ type: "score_history", score, eventTimeUs: n + 1 })));
    await stream.close();
    const read: (number | undefined)[] = [];
    for await (const record of client.history.listRecords({ sessionId: "doubles", order: "oldest", pageSize: 1_000 })) {
      if (record.type === "score_history") read.push(record.score);
    }
    expect(read).toEqual(DOUBLES);
  } finally {
    await client.close({ timeoutMs: 1_000 }).catch(() => {});
    await server.stop();
    await database.stop();
  }
});
