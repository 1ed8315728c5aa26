// A trainer that exists already, with lists that grow: first guarded as it is, then with bounded lists in their place.
import { applyMemoryLeakFixes, cleanupOldData, MemoryGuard, monitorMemoryUsage } from "@tailkeep/client";

class Trainer {
  performanceHistory: { readonly episode: number }[] = [];
  actionSequences: number[][] = [];
  triedCoordinates: Record<string, { readonly timestamp: number }> = {};
  notes: string[] = [];

  play(episode: number): void {
    this.performanceHistory.push({ episode });
    this.actionSequences.push([episode % 7, episode % 3]);
    this.triedCoordinates[`${episode % 900},${episode % 64}`] = { timestamp: Date.now() / 1_000 };
    this.notes.push(`episode ${episode}`);
  }
}

// Guarded: every hundredth call bounds the attributes whose names are known, and others that are named here.
const guard = new MemoryGuard({ limits: { notes: 20 }, onLeak: ({ message }) => console.error(message) });
const guarded = new Trainer();
// Samples the sizes of all its containers too, and names the one that leaks.
guard.watch(guarded);
for (let episode = 1; episode <= 1_000; episode++) {
  guarded.play(episode);
  guard.periodicCleanup(guarded);
}
console.log(`guarded: ${guarded.performanceHistory.length} performances, ${guarded.notes.length} notes`);

// Replaced: the same attributes hold bounded containers from now on, and the trainer's code stays as it is.
const fixed = new Trainer();
const { replaced } = applyMemoryLeakFixes(fixed, { attributes: "all", itemsMax: 50 });
for (const { attribute, capacity } of replaced) console.log(`${attribute} holds ${capacity} at most`);
for (let episode = 1; episode <= 1_000; episode++) fixed.play(episode);
console.log(
  `fixed: ${fixed.actionSequences.length} sequences, ${Object.keys(fixed.triedCoordinates).length} coordinates`,
);

cleanupOldData(fixed.triedCoordinates, { maxAgeHours: 24 });
const { residentBytes, percentOfTotal } = monitorMemoryUsage();
console.log(residentBytes > 0 && percentOfTotal < 100 ? "memory is fine" : "memory is short");
guard.close();
