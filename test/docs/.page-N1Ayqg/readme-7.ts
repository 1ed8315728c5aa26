import { applyMemoryLeakFixes, MemoryGuard } from "@tailkeep/client";

const trainer = { performanceHistory: [] as number[], frameTracking: {} as Record<string, object> };
const { replaced } = applyMemoryLeakFixes(trainer); // bounded containers with the same content, in the same places
console.log(replaced.map(({ attribute, capacity }) => `${attribute}: ${capacity}`));

const guard = new MemoryGuard({ onLeak: ({ message }) => console.error(message) });
guard.watch(trainer);
guard.periodicCleanup(trainer); // in the trainer's loop, for what was left as it is
console.log(guard.report().containers.filter(({ isLeaking }) => isLeaking));


export {};
