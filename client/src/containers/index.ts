/** Bounded containers: pure, without dependencies, and not aware of any server. */

export { BoundedDict, type BoundedDictOptions } from "./bounded-dict.js";
export { BoundedList, type BoundedListOptions } from "./bounded-list.js";
export { BoundedRing, type BoundedRingOptions } from "./bounded-ring.js";
export type { BoundsOptions } from "./bounds.js";
export { estimateBytes } from "./estimate-bytes.js";
export type { ListObserver } from "./list-core.js";
