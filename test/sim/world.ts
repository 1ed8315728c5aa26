/**
 * Virtual time. Everything that happens is an event in one queue; between two of them all promises settle, so whatever
 * awaits a disk, a network, a database or a timer is overtaken by whatever else is due: the delays, drawn from the seed,
 * choose the interleaving.
 */
import { Random } from "./random.js";

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly label: string;
  readonly fire: () => void;
  isCancelled: boolean;
}

/** Events that one run may take: beyond it something turns round and round. */
const EVENTS_MAX = 400_000;

export class World {
  readonly seed: number;
  nowMs = 0;
  events = 0;
  readonly #queue: Event[] = [];
  readonly #latency: Random;
  #order = 0;
  #hash = 0x811c9dc5;
  #trace: string[] | undefined;
  /** Looks after every event whether all is as it must be. */
  check: () => void = () => undefined;
  /** Hears of every event: faults wait for some of them. */
  noticed: (label: string) => void = () => undefined;

  constructor(seed: number, options: { readonly trace?: boolean } = {}) {
    this.seed = seed;
    this.#latency = new Random(seed, "latency");
    if (options.trace === true) this.#trace = [];
  }

  /** Two runs of one plan have the same. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  get trace(): readonly string[] {
    return this.#trace ?? [];
  }

  random(name: string): Random {
    return new Random(this.seed, name);
  }

  /** A delay that is mostly short and now and then long. */
  latencyMs(minMs: number, maxMs: number): number {
    const draw = this.#latency.next();
    return minMs + (maxMs - minMs) * draw * draw * draw;
  }

  /** Runs `fire` after `delayMs`; returns what cancels it. Events of the same moment run in the order of these calls. */
  after(delayMs: number, label: string, fire: () => void): () => void {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, label, fire, isCancelled: false };
    this.#push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Something worth knowing in a trace. */
  note(label: string): void {
    for (let at = 0; at < label.length; at++) this.#hash = Math.imul(this.#hash ^ label.charCodeAt(at), 16_777_619);
    this.#hash = Math.imul(this.#hash ^ Math.floor(this.nowMs * 1_000), 16_777_619);
    this.#trace?.push(`${this.nowMs.toFixed(3)} ${label}`);
    this.noticed(label);
  }

  /** Runs until `untilMs`, or until `isDone`. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    await settled();
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.#pop();
      if (next.isCancelled) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      if (++this.events > EVENTS_MAX) throw new Error(`more than ${EVENTS_MAX} events: something never comes to rest`);
      this.note(next.label);
      next.fire();
      await settled();
      this.check();
      if (isDone()) return;
    }
  }

  #push(event: Event): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, queue[parent] as Event)) break;
      queue[at] = queue[parent] as Event;
      at = parent;
    }
    queue[at] = event;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop() as Event;
    if (queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= queue.length) break;
      if (child + 1 < queue.length && isBefore(queue[child + 1] as Event, queue[child] as Event)) child++;
      if (!isBefore(queue[child] as Event, last)) break;
      queue[at] = queue[child] as Event;
      at = child;
    }
    queue[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Resolves when every promise that could settle has. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
