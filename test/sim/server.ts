/** A server process: the path of a record as it ships, behind a simulated network. */

import { IngestPath } from "@tailkeep/server/dist/ingest-path.js";
import { TABLE_COUNT } from "@tailkeep/server/dist/record/tables.js";
import { type Caller, NO_QUOTA } from "@tailkeep/server/dist/rpc/caller.js";
import { RpcError } from "@tailkeep/server/dist/rpc/errors.js";
import type { Gate } from "@tailkeep/server/dist/rpc/unary.js";
import { IngestCalls } from "@tailkeep/server/dist/stream/ingest-service.js";
import type { Database } from "./database.js";
import type { Listener, ServerEnd } from "./network.js";
import { SimulatedProcess } from "./process.js";
import { type ArmedFailure, SimulatedStore } from "./store.js";
import type { World } from "./world.js";

export const NAMESPACE = "default";

/** Nobody is shut out here; doors and keys have tests of their own. */
const CALLER: Caller = { namespace: NAMESPACE, keyId: undefined, ended: new AbortController().signal, quota: NO_QUOTA };

export interface ServerSettings {
  readonly shared: boolean;
  readonly lanes: number;
  readonly groupDelayMs: number;
  readonly ingestBytesMax: number;
  readonly cacheRecords: number;
}

/** What a server tells the outside. */
export interface ServerEvents {
  regressed(stream: { sessionId: string; streamId: string }): void;
  unexpected(error: unknown): void;
}

export class SimulatedServer implements Listener {
  readonly process: SimulatedProcess;
  readonly path: IngestPath;
  readonly store: SimulatedStore;
  readonly settings: ServerSettings;
  readonly #calls = new IngestCalls();
  readonly #stop = new AbortController();
  readonly #gate: Gate;
  readonly #context: Parameters<IngestCalls["serve"]>[1];
  #isClosing = false;

  constructor(
    world: World,
    name: string,
    database: Database,
    settings: ServerSettings,
    armed: ArmedFailure[],
    events: ServerEvents,
  ) {
    this.process = new SimulatedProcess(world, name);
    this.settings = settings;
    const { shared: sharedByServers, lanes } = settings;
    const clock = this.process.serverClock();
    this.store = new SimulatedStore(database, this.process, { sharedByServers, lanes }, armed);
    const cache = {
      capacities: new Array<number>(TABLE_COUNT).fill(settings.cacheRecords),
      sessionsMax: 100,
      bytesMax: 1_000_000,
    };
    const { groupDelayMs, ingestBytesMax } = settings;
    this.path = new IngestPath(
      this.store,
      clock,
      { groupDelayMs, ingestBytesMax, cache },
      {
        committed: () => undefined,
        transaction: () => undefined,
        retrying: () => undefined,
        regressed: (stream) => events.regressed(stream),
        broken: () => undefined,
        watchersWait: () => undefined,
        storeUp: () => undefined,
        storeDown: () => undefined,
        maintenanceFailed: () => undefined,
        expired: () => undefined,
      },
    );
    const { keeper, sessions, budget, hub } = this.path;
    this.#gate = {
      admit: () => {
        if (this.#isClosing) throw new RpcError("SHUTTING_DOWN", "shutting down");
        if (!keeper.started) throw new RpcError("STORE_UNAVAILABLE", "starting", { retryAfterMs: 200 });
        return CALLER;
      },
      hold: () => () => undefined,
      finished: (_method, code) => {
        if (code === "BROKEN_INVARIANT") events.unexpected(new Error("a stream was stopped by a broken invariant"));
      },
      unexpected: (error) => events.unexpected(error),
    };
    this.#context = {
      sessions,
      budget,
      clock,
      durable: () => true,
      serverVersion: "simulated",
      received: () => undefined,
      earlierRejections: () => Promise.resolve([]),
    };
    const { signal } = this.#stop;
    void keeper.start(signal).catch((error: unknown) => events.unexpected(error));
    void keeper.keep(signal);
    void sessions.keepSeen(signal);
    void hub.poll(signal);
  }

  accept(call: ServerEnd): void {
    this.#calls.serve(call as never, this.#context, this.#gate);
  }

  /** As a server ends that was asked to: what it took is committed and acked first. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#calls.shutdown();
    const patience = new AbortController();
    await Promise.race([
      this.path.commit.drained().then(() => patience.abort()),
      this.process.serverClock().sleep(3_000, patience.signal),
    ]);
    this.#stop.abort();
    this.path.commit.stop();
    this.#calls.abort();
  }
}
