/** The containers of this process by name, held weakly: being measured keeps nothing in memory. */

import { CONTAINER_NAMES_MAX } from "../limits.js";

/** What can be measured: every container of this package is. */
export interface MeasuredContainer {
  readonly capacity: number;
  /** Items held. */
  readonly length?: number;
  /** The same, of a dictionary. */
  readonly size?: number;
  /** Undefined where the container is not bounded by bytes. */
  readonly byteLength?: number | undefined;
  readonly evictions: number;
}

/** Sums over all containers of a name. */
export interface ContainerReading {
  readonly name: string;
  readonly containers: number;
  readonly items: number;
  readonly capacity: number;
  readonly bytes: number | undefined;
  readonly evictions: number;
}

/** Where names beyond the limit are counted: a label must not grow without bound. */
const OTHERS = "others";

type Group = Set<WeakRef<MeasuredContainer>>;

const groups = new Map<string, Group>();
const collected = new FinalizationRegistry<{ readonly group: Group; readonly reference: WeakRef<MeasuredContainer> }>(
  ({ group, reference }) => void group.delete(reference),
);

/** Shows a container in the metrics under this name; several of one name are added up. */
export function trackContainer(name: string, container: MeasuredContainer): void {
  const shown = groups.has(name) || groups.size < CONTAINER_NAMES_MAX ? name : OTHERS;
  let group = groups.get(shown);
  if (group === undefined) {
    group = new Set();
    groups.set(shown, group);
  }
  const reference = new WeakRef(container);
  group.add(reference);
  collected.register(container, { group, reference });
}

/** All that are alive, by name. */
export function readContainers(): ContainerReading[] {
  return [...groups].map(([name, group]) => {
    let [containers, items, capacity, evictions] = [0, 0, 0, 0];
    let bytes: number | undefined;
    for (const reference of group) {
      const container = reference.deref();
      if (container === undefined) continue;
      containers++;
      items += container.length ?? container.size ?? 0;
      capacity += container.capacity;
      evictions += container.evictions;
      if (container.byteLength !== undefined) bytes = (bytes ?? 0) + container.byteLength;
    }
    return { name, containers, items, capacity, bytes, evictions };
  });
}
