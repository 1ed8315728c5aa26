/** Another writer that takes a stream over, adds a few records to it, and goes. The one it was taken from must stop. */
import { type Channel, GrpcIngestTransport, OpenBatch } from "@tailkeep/client/internals";
import type { StreamJournal } from "./journal.js";
import { SimulatedProcess } from "./process.js";
import { makeRecord, type Sent } from "./records.js";
import type { Simulation } from "./simulation.js";

export function steal(simulation: Simulation, stream: StreamJournal, records: number): void {
  const { network, random, world } = simulation;
  const process = new SimulatedProcess(world, `thief ${world.events}`);
  const channel = network.channelOf(process, () => simulation.pickServer()) as Channel;
  const transport = new GrpcIngestTransport(channel);
  const [sessionId = "", streamId = ""] = stream.name.split("/");
  const batch = new OpenBatch();
  const added: Sent[] = [];
  for (let count = 0; count < records; count++) {
    const { record, sent } = makeRecord(random, 1_000_000 + count, 0);
    batch.append(record);
    added.push(sent);
  }
  const call = transport.open(
    { sessionId, streamId, writerId: process.random.hex(32), ackedSeq: 0, takeover: true, labels: {} },
    {
      onOpened: ({ committedSeq }) => {
        for (const [at, sent] of added.entries()) stream.stolen.set(committedSeq + 1 + at, sent);
        call.send(batch.seal(committedSeq + 1));
        call.halfClose();
      },
      onAck: () => undefined,
      onCredit: () => undefined,
      onDrain: () => undefined,
      onEnd: () => undefined,
    },
  );
}
