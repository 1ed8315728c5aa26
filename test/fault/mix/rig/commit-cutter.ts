/**
 * Stands between the server and its database and cuts connections around COMMIT: before the database hears of it, after it
 * has answered and before the server reads that, or in the middle of the answer.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export const CUT_MOMENTS = ["before COMMIT", "before OK", "within OK", "anywhere"] as const;
export type CutMoment = (typeof CUT_MOMENTS)[number];

/** A text query of the MySQL protocol: 3 bytes of length, a number, command 3, the text. */
const COMMIT = Buffer.concat([Buffer.from([7, 0, 0, 0, 3]), Buffer.from("COMMIT")]);
/** Of an OK packet of 11 bytes or more. */
const PART_BYTES = 5;

export class CommitCutter {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #moment: CutMoment = "before OK";
  #left = 0;
  #cuts = 0;

  private constructor(databasePort: number) {
    this.#server = createServer((client) => this.#accept(client, databasePort));
  }

  static async start(databasePort: number): Promise<CommitCutter> {
    const cutter = new CommitCutter(databasePort);
    cutter.#server.listen(0, "127.0.0.1");
    await once(cutter.#server, "listening");
    return cutter;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return address.port;
  }
  /** Connections cut so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** The next `count` occasions are taken. */
  arm(moment: CutMoment, count: number): void {
    this.#moment = moment;
    this.#left = count;
  }

  disarm(): void {
    this.#left = 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #accept(client: Socket, databasePort: number): void {
    const database = connect(databasePort, "127.0.0.1");
    let awaitsAnswer = false;
    const cut = (rest?: Buffer) => {
      this.#cuts++;
      const end = () => {
        client.destroy();
        database.destroy();
      };
      if (rest === undefined) end();
      else client.write(rest, end);
    };
    for (const socket of [client, database]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true).on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        database.destroy();
      });
    }
    client.on("data", (bytes: Buffer) => {
      if (this.#left > 0 && (bytes.equals(COMMIT) || this.#moment === "anywhere")) {
        this.#left--;
        if (this.#moment === "before COMMIT") return cut();
        awaitsAnswer = true;
      }
      if (!database.write(bytes)) {
        client.pause();
        database.once("drain", () => client.resume());
      }
    });
    database.on("data", (bytes: Buffer) => {
      if (awaitsAnswer) {
        cut(this.#moment === "before OK" ? undefined : bytes.subarray(0, PART_BYTES));
        awaitsAnswer = false;
        return;
      }
      if (!client.write(bytes)) {
        database.pause();
        client.once("drain", () => database.resume());
      }
    });
  }
}
