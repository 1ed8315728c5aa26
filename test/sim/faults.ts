/** Makes each planned fault come to pass, and ends it. */
import type { DiskTrouble } from "./disk.js";
import { FAULT_KINDS, type Fault, type FaultKind } from "./plan.js";
import type { SimulatedProcess } from "./process.js";
import type { SimulatedServer } from "./server.js";
import type { Simulation } from "./simulation.js";
import type { ArmedFailure } from "./store.js";
import { steal } from "./thief.js";
import type { SimulatedTrainer } from "./trainer.js";

/** What undoes a fault, for the end of all faults. */
type Undo = () => void;

type Injection = (simulation: Simulation, fault: Fault) => Undo | undefined;

/** Lets the planned faults loose; returns what heals everything. */
export function scheduleFaults(simulation: Simulation): () => void {
  const { world, plan } = simulation;
  const undos = new Set<Undo>();
  let isOver = false;
  const inject = (fault: Fault): void => {
    if (isOver) return;
    const undo = INJECTIONS[fault.kind](simulation, fault);
    if (undo === undefined) return;
    const once = (): void => {
      if (undos.delete(once)) undo();
    };
    undos.add(once);
    world.after(fault.forMs, `end of ${fault.kind}`, once);
  };
  const waiting: { fault: Fault; event: string; left: number }[] = [];
  for (const fault of plan.faults) {
    if ("atMs" in fault.when) world.after(fault.when.atMs, `fault ${fault.kind}`, () => inject(fault));
    else waiting.push({ fault, event: fault.when.event, left: fault.when.nth });
  }
  world.noticed = (label) => {
    for (const each of waiting) {
      if (!label.includes(each.event) || --each.left !== 0) continue;
      world.after(0, `fault ${each.fault.kind}`, () => inject(each.fault));
    }
  };
  return () => {
    isOver = true;
    world.noticed = () => undefined;
    const left = [...undos];
    for (const undo of left) undo();
    simulation.armed.length = 0;
    simulation.network.heal();
  };
}

function serverOf({ servers }: Simulation, { which }: Fault): { server: SimulatedServer; at: number } {
  const at = which % servers.length;
  return { server: servers[at] as SimulatedServer, at };
}

function trainerOf({ trainers }: Simulation, { which }: Fault): { trainer: SimulatedTrainer; at: number } {
  const at = which % trainers.length;
  return { trainer: trainers[at] as SimulatedTrainer, at };
}

function armed(failure: ArmedFailure): Injection {
  return (simulation, { kind, times }) => {
    for (let count = 0; count < times; count++) simulation.armed.push(failure);
    simulation.happened(kind);
    return undefined;
  };
}

function diskTrouble(trouble: DiskTrouble): Injection {
  return (simulation, fault) => {
    const { disk } = simulation.homes[fault.which % simulation.homes.length] as Simulation["homes"][number];
    for (let count = 0; count < fault.times; count++) disk.troubles.push(trouble);
    simulation.happened(fault.kind);
    return () => {
      disk.troubles.length = 0;
    };
  };
}

/** Ends a server and starts another one in its place. */
function endServer(end: (server: SimulatedServer) => void): Injection {
  return (simulation, fault) => {
    const { server, at } = serverOf(simulation, fault);
    if (!server.process.isAlive) return undefined;
    simulation.happened(fault.kind);
    end(server);
    return () => simulation.startServer(at);
  };
}

function endTrainer(end: (trainer: SimulatedTrainer, simulation: Simulation, at: number) => void): Injection {
  return (simulation, fault) => {
    const { trainer, at } = trainerOf(simulation, fault);
    if (!trainer.process.isAlive) return undefined;
    simulation.happened(fault.kind);
    end(trainer, simulation, at);
    return () => simulation.startTrainer(at);
  };
}

function stalled(directions: readonly ("up" | "down")[]): Injection {
  return (simulation, fault) => {
    const { network } = simulation;
    const trainer = trainerOf(simulation, fault).trainer.process;
    const server = serverOf(simulation, fault).server.process;
    simulation.happened(fault.kind);
    const stall = (from: SimulatedProcess, to: SimulatedProcess): void => network.stall(from, to);
    if (directions.includes("up")) stall(trainer, server);
    if (directions.includes("down")) stall(server, trainer);
    return () => network.heal();
  };
}

function flag(set: (simulation: Simulation, isOn: boolean) => void): Injection {
  return (simulation, { kind }) => {
    simulation.happened(kind);
    set(simulation, true);
    return () => set(simulation, false);
  };
}

function killDatabase(simulation: Simulation): Undo {
  const { database, plan } = simulation;
  if (plan.shared) {
    database.crash();
    return () => database.start();
  }
  // An embedded database ends with its server.
  database.crash();
  for (const { process } of simulation.servers) process.kill();
  return () => {
    database.start();
    for (const at of simulation.servers.keys()) simulation.startServer(at);
  };
}

const INJECTIONS: Readonly<Record<FaultKind, Injection>> = {
  "server killed": endServer(({ process }) => process.kill()),
  "server stopped": endServer((server) => void server.close()),
  "server paused": (simulation, fault) => {
    const { process } = serverOf(simulation, fault).server;
    if (!process.isAlive) return undefined;
    simulation.happened(fault.kind);
    process.pause(fault.forMs);
    return undefined;
  },
  "trainer killed": endTrainer((trainer) => trainer.die()),
  "trainer closed": endTrainer((trainer) => void trainer.close()),
  "trainer lost power": endTrainer((trainer, simulation, at) => {
    trainer.die();
    simulation.homes[at]?.disk.losePower();
  }),
  "trainer paused": (simulation, fault) => {
    const { process } = trainerOf(simulation, fault).trainer;
    if (!process.isAlive) return undefined;
    simulation.happened(fault.kind);
    process.pause(fault.forMs);
    return undefined;
  },
  "calls cut": (simulation, { kind }) => {
    const calls = [...simulation.network.calls];
    if (calls.length === 0) return undefined;
    simulation.happened(kind);
    for (const call of calls) call.cut();
    return undefined;
  },
  "call lost silently": (simulation, { kind, which }) => {
    const calls = [...simulation.network.calls];
    const call = calls[which % Math.max(1, calls.length)];
    if (call === undefined) return undefined;
    simulation.happened(kind);
    call.cut({ isSilent: true });
    return undefined;
  },
  partition: stalled(["up", "down"]),
  "trainers not heard": stalled(["up"]),
  "servers not heard": stalled(["down"]),
  "slow network": (simulation, { kind, times }) => {
    const { network, plan } = simulation;
    simulation.happened(kind);
    network.latencyMsMax = plan.networkLatencyMsMax * 10 * times;
    return () => {
      network.latencyMsMax = plan.networkLatencyMsMax;
    };
  },
  "database killed": (simulation, { kind }) => {
    if (!simulation.database.isUp) return undefined;
    simulation.happened(kind);
    return killDatabase(simulation);
  },
  "database frozen": flag(({ database }, isOn) => {
    database.isFrozen = isOn;
  }),
  "database restored": (simulation, { kind, which }) => {
    const { database, world } = simulation;
    if (simulation.dumped === undefined) {
      // The dump is taken now, and restored when the fault ends.
      simulation.dumped = database.dump();
      const dump = simulation.dumped;
      return () => {
        if (!database.isUp) return;
        simulation.happened(kind);
        const start = killDatabase(simulation);
        database.restore(dump);
        simulation.dumped = undefined;
        world.after(100 * (which + 1), "restored", start);
      };
    }
    return undefined;
  },
  "database read-only": flag(({ database }, isOn) => {
    database.isReadOnly = isOn;
  }),
  "database full": flag(({ database }, isOn) => {
    database.isFull = isOn;
  }),
  "row locked": (simulation, { kind, which }) => {
    const keys = [...simulation.database.streams.keys()];
    const key = keys[which % Math.max(1, keys.length)];
    if (key === undefined) return undefined;
    simulation.happened(kind);
    const somebody = {};
    const giveUp = simulation.database.lock(key, somebody, () => undefined);
    return () => {
      giveUp();
      simulation.database.unlock(somebody);
    };
  },
  deadlock: armed("deadlock"),
  "connection gone": armed("gone"),
  "too many connections": armed("tooMany"),
  "commit lost": armed("commitLost"),
  "commit's answer lost": armed("commitAnswerLost"),
  "stream taken over": (simulation, { kind, which, times }) => {
    // A restore would undo it, and nobody could say any more whose numbers are whose.
    if (simulation.plan.faults.some((other) => other.kind === "database restored")) return undefined;
    const states = [...simulation.database.streams.values()];
    const known = new Set(states.map(({ identity }) => `${identity.sessionId}/${identity.streamId}`));
    const streams = [...simulation.journal.streams.values()].filter(
      ({ name, stolenAfterSeq }) => known.has(name) && stolenAfterSeq === undefined,
    );
    const stream = streams[which % Math.max(1, streams.length)];
    if (stream === undefined) return undefined;
    simulation.happened(kind);
    steal(simulation, stream, times);
    return undefined;
  },
  "clock jumped": (simulation, fault) => {
    const { process } = serverOf(simulation, fault).server;
    simulation.happened(fault.kind);
    process.wallOffsetUs = (fault.which % 2 === 0 ? 1 : -1) * 10 * 365 * 86_400_000_000;
    return () => {
      process.wallOffsetUs = 0;
    };
  },
  "disk write failed": diskTrouble("write"),
  "disk sync failed": diskTrouble("sync"),
  "disk open failed": diskTrouble("open"),
  "disk full": (simulation, fault) => {
    const { disk } = simulation.homes[fault.which % simulation.homes.length] as Simulation["homes"][number];
    simulation.happened(fault.kind);
    disk.isFull = true;
    return () => {
      disk.isFull = false;
    };
  },
};

export function countFaults(outcomes: ReadonlyMap<FaultKind, number>[]): Map<FaultKind, number> {
  return new Map(
    FAULT_KINDS.map((kind) => [kind, outcomes.reduce((sum, injected) => sum + (injected.get(kind) ?? 0), 0)]),
  );
}
