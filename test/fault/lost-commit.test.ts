// The answer to COMMIT is lost on its way: the database has committed, the server cannot know. It must neither ack nor
// refuse, run the transaction again on a new connection, and find by the locked watermark what happened.
import { once } from "node:events";
import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { connect } from "@tailkeep/client";
import mysql, { type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isSkipped, sharedMysqlFamily } from "../support/databases/index.js";
import { TailkeepServer } from "../support/tailkeep-server.js";

/** A text query of the MySQL protocol: 3 bytes of length, a number, command 3, the text. */
const COMMIT = Buffer.concat([Buffer.from([7, 0, 0, 0, 3]), Buffer.from("COMMIT")]);

/** Passes everything, but of every `nth` COMMIT the answer is swallowed and the connection is cut. */
class CommitCutter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #commits = 0;
  cuts = 0;
  /** Off while the server starts. */
  cutting = false;

  constructor(port: number, nth: number) {
    this.#server = createServer((client) => {
      const database = connectSocket(port, "127.0.0.1");
      let deaf = false;
      for (const socket of [client, database]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          client.destroy();
          database.destroy();
        });
      }
      client.on("data", (bytes: Buffer) => {
        if (this.cutting && bytes.equals(COMMIT) && ++this.#commits % nth === 0) deaf = true;
        database.write(bytes);
      });
      database.on("data", (bytes) => {
        if (!deaf) client.write(bytes);
        else {
          this.cuts++;
          client.destroy();
        }
      });
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

const database = await sharedMysqlFamily();
const RECORDS = 5_000;
const CUT_EVERY = 7;

test.skipIf(isSkipped(database))(
  "every record is stored once, in order, however many commits are not answered",
  async () => {
    if (isSkipped(database)) return;
    const name = await database.createDatabase();
    const direct = new URL(database.url(name));
    const cutter = new CommitCutter(Number(direct.port), CUT_EVERY);
    const through = new URL(direct);
    through.port = String(await cutter.listen());
    const server = await TailkeepServer.start({ store: through.href, env: { TAILKEEP_LOG_LEVEL: "warn" } });
    const client = connect({ server: server.grpcAddress });
    cutter.cutting = true;
    try {
      const acks: number[] = [];
      const stream = client.openStream({ sessionId: "cut", flushRecords: 20 });
      stream.onAck((seq) => acks.push(seq));
      for (let score = 1; score <= RECORDS; score++) {
        await stream.write({ type: "score_history", gameId: "g", score });
        if (score % 100 === 0) await stream.flush({ timeoutMs: 60_000 });
      }
      await stream.close({ timeoutMs: 60_000 });
      expect(stream.counts).toMatchObject({ stored: RECORDS, rejected: 0, gapped: 0, pending: 0 });
      expect(acks).toEqual([...acks].sort((a, b) => a - b));
      expect(cutter.cuts).toBeGreaterThan(3);
      const connection = await mysql.createConnection({ uri: direct.href });
      const [rows] = await connection.query<RowDataPacket[]>("SELECT seq, score FROM score_history_rows ORDER BY seq");
      expect(rows.map((row) => [Number(row["seq"]), row["score"]])).toEqual(
        Array.from({ length: RECORDS }, (_, at) => [at + 1, at + 1]),
      );
      await connection.end();
    } finally {
      await client.close({ timeoutMs: 10_000 });
      await server.stop();
      await cutter.close();
    }
  },
);

beforeAll(() => {
  if (isSkipped(database)) console.log(`skipped: ${database.skipped}`);
});
afterAll(async () => {
  if (!isSkipped(database)) await database.stop();
});
