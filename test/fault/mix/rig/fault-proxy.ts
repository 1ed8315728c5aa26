/**
 * Stands between trainers and their server and does to the bytes what networks do: cuts connections, in the middle of a
 * frame if told so, holds either direction back, passes slowly, forgets one side of a connection, or leads elsewhere.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

export type Direction = "up" | "down";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The server's side is gone, and the client has not heard of it. */
  isHalfOpen: boolean;
}

export class FaultProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #target: { readonly host: string; readonly port: number };
  readonly #held = new Set<Direction>();
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #cutsMidFrame = false;
  #midFrameCuts = 0;

  private constructor(target: string) {
    this.#target = parsed(target);
    this.#server = createServer((client) => this.#accept(client));
  }

  static async start(target: string, host = "127.0.0.1"): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, host);
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return address.port;
  }
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
  /** Connections that were cut within a frame so far. */
  get midFrameCuts(): number {
    return this.#midFrameCuts;
  }

  /** New connections go there; those that are open are cut. */
  leadTo(target: string): void {
    this.#target = parsed(target);
    this.cut();
  }

  cut(): void {
    for (const pair of this.#pairs) this.#break(pair);
  }

  /** Every connection is cut after a part of the next bytes that pass. */
  cutMidFrame(): void {
    this.#cutsMidFrame = true;
  }

  hold(...directions: readonly Direction[]): void {
    for (const direction of directions) this.#held.add(direction);
    for (const { client, server } of this.#pairs) {
      if (this.#held.has("up")) client.pause();
      if (this.#held.has("down")) server.pause();
    }
  }

  slow(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** The server sees its connections end; the clients see silence. */
  forgetServerSide(): void {
    for (const pair of this.#pairs) {
      pair.isHalfOpen = true;
      pair.server.resetAndDestroy();
    }
  }

  /** Passes everything again; clients whose server side is gone hear of it. */
  heal(): void {
    this.#held.clear();
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#cutsMidFrame = false;
    for (const pair of this.#pairs) {
      if (pair.isHalfOpen) this.#break(pair);
      pair.client.resume();
      pair.server.resume();
    }
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #accept(client: Socket): void {
    const pair: Pair = { client, server: connect(this.#target), isHalfOpen: false };
    const { server } = pair;
    this.#pairs.add(pair);
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", () => {});
    client.on("close", () => this.#forget(pair));
    server.on("close", () => {
      if (!pair.isHalfOpen) this.#forget(pair);
    });
    this.#pass(pair, client, server, "up");
    this.#pass(pair, server, client, "down");
    if (this.#held.has("up")) client.pause();
    if (this.#held.has("down")) server.pause();
  }

  #pass(pair: Pair, from: Socket, to: Socket, direction: Direction): void {
    from.on("data", (bytes: Buffer) => {
      if (pair.isHalfOpen) return;
      if (this.#cutsMidFrame && bytes.length > 1) {
        this.#midFrameCuts++;
        this.#pairs.delete(pair);
        to.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => this.#break(pair));
        return;
      }
      const isRoomy = to.write(bytes);
      const resume = () => {
        if (!this.#held.has(direction)) from.resume();
      };
      if (this.#bytesPerSecond < Number.POSITIVE_INFINITY) {
        from.pause();
        setTimeout(resume, (bytes.length / this.#bytesPerSecond) * 1_000).unref();
      } else if (!isRoomy) {
        from.pause();
        to.once("drain", resume);
      }
    });
  }

  #forget(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }

  #break(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
  }
}

function parsed(address: string): { host: string; port: number } {
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port) };
}
