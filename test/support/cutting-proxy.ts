/**
 * Stands between a client and a server, passes bytes, and breaks connections where a test says so: after so many bytes
 * of the client's, on all connections together. A cut may first swallow what the server answers, so that it did what it
 * was asked and nobody hears of it.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Cut {
  /** Once the client has sent this many bytes in all. Ascending from cut to cut. */
  readonly afterBytes: number;
  /** Go on passing the client's bytes for so long without passing the answers, then cut. @default 0 */
  readonly deafMs?: number;
  /** Called at the moment of the cut. */
  readonly onCut?: () => void;
}

export class CuttingProxy {
  readonly #target: { host: string; port: number };
  readonly #cuts: Cut[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #bytesFromClient = 0;
  #deaf = false;
  #cutsDone = 0;

  private constructor(targetAddress: string, cuts: readonly Cut[]) {
    const [host = "", port = ""] = targetAddress.split(":");
    this.#target = { host, port: Number(port) };
    this.#cuts = [...cuts];
    this.#server = createServer((client) => this.#pass(client));
  }

  static async start(targetAddress: string, cuts: readonly Cut[]): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(targetAddress, cuts);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return `127.0.0.1:${address.port}`;
  }
  get cutsDone(): number {
    return this.#cutsDone;
  }
  get bytesFromClient(): number {
    return this.#bytesFromClient;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#breakAll();
    await closed;
  }

  #pass(client: Socket): void {
    const server = connect(this.#target);
    const pair = [client, server] as const;
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on("error", () => {}); // A broken connection is what this is for.
      socket.on("close", () => {
        this.#sockets.delete(socket);
        for (const either of pair) either.destroy();
      });
    }
    client.on("data", (bytes) => {
      this.#bytesFromClient += bytes.length;
      if (!server.write(bytes)) {
        client.pause();
        server.once("drain", () => client.resume());
      }
      this.#cutIfDue();
    });
    server.on("data", (bytes) => {
      if (this.#deaf) return;
      if (!client.write(bytes)) {
        server.pause();
        client.once("drain", () => server.resume());
      }
    });
  }

  #cutIfDue(): void {
    const cut = this.#cuts[0];
    if (cut === undefined || this.#bytesFromClient < cut.afterBytes) return;
    this.#cuts.shift();
    const { deafMs = 0 } = cut;
    this.#deaf = deafMs > 0;
    const finish = () => {
      this.#deaf = false;
      this.#cutsDone += 1;
      this.#breakAll();
      cut.onCut?.();
    };
    if (deafMs > 0) setTimeout(finish, deafMs);
    else finish();
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
