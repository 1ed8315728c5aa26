// A server that remembers which streams it has, as far as an import can tell.
import { isDeepStrictEqual } from "node:util";
import type { ImportItem, ImportState, ImportTarget, Json, WrittenItem } from "../../../server/src/import/index.js";

export class MemoryTarget implements ImportTarget {
  readonly items = new Map<string, ImportItem>();
  readonly states = new Map<string, Json>();
  inFlight = 0;
  inFlightMax = 0;

  async writeItem(item: ImportItem): Promise<WrittenItem> {
    this.inFlight += 1;
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
    await new Promise(setImmediate);
    this.inFlight -= 1;
    const key = `${item.sessionId}/${item.streamId}`;
    const count = item.records.length;
    if (this.items.has(key)) return { storedNew: 0, alreadyThere: count, rejected: 0 };
    this.items.set(key, item);
    return { storedNew: count, alreadyThere: 0, rejected: 0 };
  }

  putState(state: ImportState): Promise<"written" | "unchanged"> {
    const present = this.states.get(state.name);
    if (present !== undefined && (state.torn || isDeepStrictEqual(present, state.value)))
      return Promise.resolve("unchanged");
    this.states.set(state.name, state.value);
    return Promise.resolve("written");
  }
}
