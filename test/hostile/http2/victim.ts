/** A real server under attack, with a neighbour that behaves: what the attack costs the one and the other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { IngestProbe } from "../../support/grpc/ingest-probe.js";
import { Stubs } from "../../support/grpc/stubs.js";
import { temporaryFolder } from "../../support/in-process-server.js";
import { recordEntry, score } from "../../support/records/batches.js";
import { TailkeepServer } from "../../support/tailkeep-server.js";
import { type Attack, FULL_SESSION } from "./attacks.js";

export interface Damage {
  /** Resident memory above what it was before, at its highest. */
  readonly riseBytes: number;
  /** Resident memory some seconds after. */
  readonly afterBytes: number;
  /** Connections that the server ended. */
  readonly dropped: number;
  readonly goaways: readonly (number | undefined)[];
  /** Batches of the neighbour that were acked meanwhile, and how long the slowest took. */
  readonly acks: number;
  readonly slowestAckMs: number;
  readonly alive: boolean;
}

const NEIGHBOUR_EVERY_MS = 20;
/** What an attack has left behind shows by then. */
const SETTLE_MS = 300;

export class Victim {
  readonly server: TailkeepServer;
  readonly stubs: Stubs;
  readonly #folder: Awaited<ReturnType<typeof temporaryFolder>>;
  readonly #neighbour: IngestProbe;
  #seq = 0;

  private constructor(server: TailkeepServer, folder: Awaited<ReturnType<typeof temporaryFolder>>) {
    this.server = server;
    this.#folder = folder;
    this.stubs = new Stubs(server.grpcAddress);
    this.#neighbour = this.stubs.ingest();
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<Victim> {
    const folder = await temporaryFolder();
    const server = await TailkeepServer.start({
      store: `sqlite:${join(folder.path, "t.db")}`,
      cwd: folder.path,
      env: { TAILKEEP_LOG_LEVEL: "info", ...env },
    });
    const victim = new Victim(server, folder);
    await victim.#fill();
    victim.#neighbour.open({ sessionId: "neighbour", streamId: "s", writerId: "w" });
    await victim.#neighbour.untilOpened();
    // The first seconds of a process are not what it costs later.
    for (let round = 0; round < 200; round++) await victim.#append();
    await sleep(500);
    return victim;
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.server.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  }

  async attackedBy(attack: Attack, connections: number, ms: number): Promise<Damage> {
    const before = this.residentBytes();
    let most = before;
    const sampler = setInterval(() => {
      most = Math.max(most, this.residentBytes());
    }, 50);
    const stop = new AbortController();
    const neighbour = this.#behave(stop.signal);
    const attackers = await Promise.all(
      Array.from({ length: connections }, () => attack.run(this.server.grpcAddress, ms)),
    );
    const dropped = attackers.filter(({ closed }) => closed).length;
    const goaways = [...new Set(attackers.map(({ goaway }) => goaway))];
    for (const attacker of attackers) attacker.end();
    stop.abort();
    const { acks, slowestAckMs } = await neighbour;
    await sleep(SETTLE_MS);
    clearInterval(sampler);
    const alive = this.server.pid !== undefined && (await fetch(`${this.server.httpUrl}/readyz`)).ok;
    return {
      riseBytes: most - before,
      afterBytes: this.residentBytes(),
      dropped,
      goaways,
      acks,
      slowestAckMs,
      alive,
    };
  }

  /** The neighbour's numbers, as stored. */
  async neighbourIsWhole(): Promise<boolean> {
    const { streams } = await this.stubs.call("getLedger", { sessionId: "neighbour" });
    return (
      this.#neighbour.ending === undefined &&
      streams[0]?.committedSeq === BigInt(this.#seq) &&
      streams[0].counts?.stored === BigInt(this.#seq)
    );
  }

  async neighbourAppends(): Promise<boolean> {
    await this.#append();
    return await this.neighbourIsWhole();
  }

  async stop(): Promise<void> {
    this.stubs.close();
    await this.server.stop();
    await this.#folder.remove();
  }

  async #behave(until: AbortSignal): Promise<{ acks: number; slowestAckMs: number }> {
    let acks = 0;
    let slowestAckMs = 0;
    while (!until.aborted) {
      slowestAckMs = Math.max(slowestAckMs, await this.#append());
      acks++;
      await sleep(NEIGHBOUR_EVERY_MS);
    }
    return { acks, slowestAckMs };
  }

  async #append(): Promise<number> {
    const startedMs = performance.now();
    this.#seq++;
    this.#neighbour.batch(this.#seq, [recordEntry(score(this.#seq))]);
    await this.#neighbour.untilAcked(this.#seq).catch((error: unknown) => {
      throw new Error(`the neighbour was hurt: ${String(error)}\nThe server: ${this.server.output}`);
    });
    return performance.now() - startedMs;
  }

  /** A session whose first page is as large as pages get. */
  async #fill(): Promise<void> {
    const json = `"${"x".repeat(100_000)}"`;
    for (let seq = 1; seq <= 24; seq++) {
      await this.stubs.call("writeRecords", {
        sessionId: FULL_SESSION,
        streamId: "s",
        writerId: "w",
        batch: {
          firstSeq: BigInt(seq),
          entries: [
            recordEntry({
              eventTimeUs: BigInt(seq),
              kind: {
                $case: "actionTracking",
                value: {
                  gameId: "g",
                  actionType: undefined,
                  actionSequenceJson: undefined,
                  effectiveness: undefined,
                  contextJson: json,
                },
              },
            }),
          ],
        },
      });
    }
  }
}
