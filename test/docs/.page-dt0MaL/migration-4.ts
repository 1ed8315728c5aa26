import { applyMemoryLeakFixes, MemoryGuard } from "@tailkeep/client";
class Trainer {
  performanceHistory: object[] = [];
  triedCoordinates: Record<string, object> = {};
  readonly guard = new MemoryGuard();

  constructor() {
    applyMemoryLeakFixes(this);
  }

  step(n: number): void {
    this.performanceHistory.push({ n });
    this.guard.periodicCleanup(this);
  }
}

const trainer = new Trainer();
for (let n = 1; n <= 1_000; n++) trainer.step(n);
console.log(trainer.performanceHistory.length, trainer.performanceHistory[0]);


export {};
