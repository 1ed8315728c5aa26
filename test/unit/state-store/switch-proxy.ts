/** Stands between a client and a server, and does what a test says: pass, swallow the answers, or be gone. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class SwitchProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: { host: string; port: number };
  #isDeaf = false;
  #isGone = false;
  /** Called for every piece that the client sends, once it is passed on. */
  onBytes: (count: number) => void = () => undefined;

  private constructor(target: string) {
    this.#target = SwitchProxy.#split(target);
    this.#server = createServer((client) => this.#pass(client));
  }

  static async start(target: string): Promise<SwitchProxy> {
    const proxy = new SwitchProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** For a server that came back elsewhere. */
  retarget(target: string): void {
    this.#target = SwitchProxy.#split(target);
  }

  /** The server still gets everything; nobody hears its answers. */
  deafen(): void {
    this.#isDeaf = true;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** The server cannot be reached. */
  leave(): void {
    this.#isGone = true;
    this.cut();
  }

  /** Everything works again, on new connections. */
  heal(): void {
    this.cut();
    this.#isDeaf = false;
    this.#isGone = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }

  #pass(client: Socket): void {
    if (this.#isGone) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#target);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined); // Broken connections are what this is for.
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (bytes) => {
      server.write(bytes);
      this.onBytes(bytes.length);
    });
    server.on("data", (bytes) => {
      if (!this.#isDeaf) client.write(bytes);
    });
  }

  static #split(address: string): { host: string; port: number } {
    const [host = "", port = ""] = address.split(":");
    return { host, port: Number(port) };
  }
}
