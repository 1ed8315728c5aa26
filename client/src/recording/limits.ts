/** Containers without a capacity of their own take the central limit of their type, and follow it while they live. */

import type { Recorder } from "../recorder/recorder.js";
import type { RecordTypeName } from "../records/training-record.js";

/** What follows a limit. */
export interface Resizable {
  resize(capacity: number): void;
}

/** The capacity to begin with. */
export function initialCapacity(recorder: Recorder, type: RecordTypeName | "dictionary"): number {
  return recorder.limits.capacityOf(type);
}

/** Resizes `container` whenever the central limit changes. Holds it weakly: who forgets a container need not say so. */
export function followLimit(recorder: Recorder, type: RecordTypeName | "dictionary", container: Resizable): void {
  const reference = new WeakRef(container);
  const stop = recorder.limits.onChange(() => {
    const alive = reference.deref();
    if (alive === undefined) stop();
    else alive.resize(recorder.limits.capacityOf(type));
  });
}
