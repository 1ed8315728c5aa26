/**
 * A network of one trainer: its own namespace, whose only way out is a pair of virtual cards to the server on the loopback
 * of this one. The kernel itself loses, delays and refuses its packets. Takes root, iproute2 and nftables.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { run, works } from "./shell.js";

const PREFIX = "tkf";
/** A network for documentation: nobody's. */
const NETWORK = "198.18";

export class NetworkNamespace {
  readonly #name: string;
  readonly #outside: string;
  readonly #inside: string;
  readonly #table: string;
  readonly #gateway: string;
  #port = 0;

  private constructor(subnet: number) {
    this.#name = `${PREFIX}${process.pid}`;
    this.#outside = `${this.#name}o`;
    this.#inside = `${this.#name}i`;
    this.#table = `${this.#name}t`;
    this.#gateway = `${NETWORK}.${subnet}.1`;
  }

  static async make(): Promise<NetworkNamespace> {
    await removeLeftovers();
    const subnet = process.pid % 250;
    const namespace = new NetworkNamespace(subnet);
    await namespace.#set(`${NETWORK}.${subnet}.2`);
    return namespace;
  }

  /** Where the server on this machine's loopback is found from within. */
  async addressOf(server: string): Promise<string> {
    const port = Number(server.split(":")[1]);
    if (port !== this.#port) {
      this.#port = port;
      await this.#nft("flush", "chain", "ip", this.#table, "to_server");
      await this.#nft(
        ...`add rule ip ${this.#table} to_server iifname ${this.#outside} tcp dport ${port} dnat to 127.0.0.1:${port}`.split(
          " ",
        ),
      );
    }
    return `${this.#gateway}:${port}`;
  }

  /**
   * What precedes a command that is to run within. `ip netns exec` would give it a copy of every mount too, which keeps a
   * disk alive that was unmounted here.
   */
  get prefix(): readonly string[] {
    return ["nsenter", `--net=/run/netns/${this.#name}`];
  }

  /** Packets that are dropped on their way, of a hundred. */
  async lose({ up, down }: { readonly up: number; readonly down: number }): Promise<void> {
    await this.#drop("from_trainer", up);
    await this.#drop("to_trainer", down);
  }

  async slow(kilobitsPerSecond: number): Promise<void> {
    await run(
      ...(`tc qdisc replace dev ${this.#outside} root tbf rate ${kilobitsPerSecond}kbit burst 16kb latency 300ms`.split(
        " ",
      ) as [string, ...string[]]),
    );
    await run(
      ...(`ip netns exec ${this.#name} tc qdisc replace dev ${this.#inside} root tbf rate ${kilobitsPerSecond}kbit burst 16kb latency 300ms`.split(
        " ",
      ) as [string, ...string[]]),
    );
  }

  async heal(): Promise<void> {
    await this.lose({ up: 0, down: 0 });
    await works("tc", "qdisc", "del", "dev", this.#outside, "root");
    await works("ip", "netns", "exec", this.#name, "tc", "qdisc", "del", "dev", this.#inside, "root");
  }

  async remove(): Promise<void> {
    await removeParts(this.#name);
  }

  async #set(address: string): Promise<void> {
    const ip = (line: string) => run("ip", ...line.split(" "));
    await ip(`netns add ${this.#name}`);
    await ip(`link add ${this.#outside} type veth peer name ${this.#inside}`);
    await ip(`link set ${this.#inside} netns ${this.#name}`);
    await ip(`addr add ${this.#gateway}/24 dev ${this.#outside}`);
    await ip(`link set ${this.#outside} up`);
    await ip(`-n ${this.#name} addr add ${address}/24 dev ${this.#inside}`);
    await ip(`-n ${this.#name} link set ${this.#inside} up`);
    await ip(`-n ${this.#name} link set lo up`);
    // The server listens on the loopback alone, and is to be reached through this card all the same.
    await writeFile(`/proc/sys/net/ipv4/conf/${this.#outside}/route_localnet`, "1");
    await this.#nft("add", "table", "ip", this.#table);
    await this.#chain("to_server", "type nat hook prerouting priority dstnat;");
    await this.#chain("from_trainer", "type filter hook input priority 0;");
    await this.#chain("to_trainer", "type filter hook output priority 0;");
  }

  async #chain(name: string, hook: string): Promise<void> {
    await this.#nft(`add chain ip ${this.#table} ${name} { ${hook} }`);
  }

  async #drop(chain: "from_trainer" | "to_trainer", percent: number): Promise<void> {
    await this.#nft("flush", "chain", "ip", this.#table, chain);
    if (percent === 0) return;
    const card = chain === "from_trainer" ? "iifname" : "oifname";
    const share = percent >= 100 ? "" : `numgen random mod 100 < ${percent}`;
    await this.#nft(`add rule ip ${this.#table} ${chain} ${card} ${this.#outside} ${share} drop`);
  }

  async #nft(...words: readonly string[]): Promise<void> {
    await run("nft", ...words);
  }
}

async function removeParts(name: string): Promise<void> {
  await works("nft", "delete", "table", "ip", `${name}t`);
  await works("ip", "link", "del", `${name}o`);
  await works("ip", "netns", "del", name);
}

/** Networks of test runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const line of (await run("ip", "netns", "list")).split("\n")) {
    const [, name, pid] = new RegExp(`^(${PREFIX}(\\d+))\\b`).exec(line) ?? [];
    if (name !== undefined && !existsSync(`/proc/${pid}`)) await removeParts(name);
  }
}
