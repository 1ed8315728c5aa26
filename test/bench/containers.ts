/** The containers against what they replace and their peers: in one process, taking turns, medians of many rounds. */
import { createHash } from "node:crypto";
import { BoundedDict, BoundedList, BoundedRing } from "@tailkeep/client";
import { LRUCache } from "lru-cache";
import { CircularBuffer } from "mnemonist";
import { CollectorPauses, type Span } from "./collector-pauses.js";
import { median } from "./measure.js";
import type { Claim } from "./table.js";

const CAPACITIES = [100, 10_000, 1_000_000];
const SPREAD_ITEMS = 10_000;

/** Keys besides `frame-123`, at the largest capacity, and what a dictionary may take of lru-cache's time with them. */
const OTHER_KEYS: readonly { name: string; keyAt: (index: number) => Key; bound: number }[] = [
  { name: "hashes", keyAt: (index) => createHash("md5").update(String(index)).digest("hex"), bound: 1 },
  { name: "coordinates", keyAt: (index) => `${index % 1_500},${Math.floor(index / 1_500)}`, bound: 1 },
  { name: "whole numbers", keyAt: (index) => index * 7, bound: 1 },
  // The least good that is known: told apart only by all of their characters.
  {
    name: "texts alike at both ends",
    keyAt: (index) => `a long name that is the same/${index}/and another one`,
    bound: 3,
  },
];

/** Sets that took less are not looked at one by one. */
const LONG_SET_MS = 0.2;

type Work = (count: number) => void;

/** Nanoseconds an operation of each work, a number for each round. */
type Timings = Readonly<Record<string, readonly number[]>>;

/** Measures the works in turns; the order changes with every round. */
function compare(works: Readonly<Record<string, Work>>, count: number, rounds: number): Timings {
  const names = Object.keys(works);
  const found: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -2; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round + names.length * 2) % names.length] as string;
      const startedMs = performance.now();
      works[name]?.(count);
      // The first rounds only warm up.
      if (round >= 0) found[name]?.push(((performance.now() - startedMs) / count) * 1e6);
    }
  }
  return found;
}

export async function benchContainers(isQuick: boolean): Promise<Claim[]> {
  const rounds = isQuick ? 7 : 31;
  return [
    ...CAPACITIES.flatMap((capacity) => appends(capacity, rounds)),
    ...reads(rounds),
    ...CAPACITIES.flatMap((capacity) => dicts(capacity, rounds)),
    ...otherKeys(Math.min(rounds, 11)),
    await longestDictOperation(isQuick),
  ];
}

function appends(capacity: number, rounds: number): Claim[] {
  const item = { score: 1 };
  // An array that a list of a million replaces has grown beyond a million.
  const count = 2_000_000;
  const list = new BoundedList<object>(capacity);
  const ring = new BoundedRing<object>(capacity);
  const peer = new CircularBuffer<object>(Array, capacity);
  for (let i = 0; i < capacity; i++) {
    list.append(item);
    ring.push(item);
    peer.push(item);
  }
  const timings = compare(
    {
      array: (count) => {
        const growing: object[] = [];
        for (let i = 0; i < count; i++) growing.push(item);
      },
      list: (count) => {
        for (let i = 0; i < count; i++) list.append(item);
      },
      ring: (count) => {
        for (let i = 0; i < count; i++) ring.push(item);
      },
      peer: (count) => {
        for (let i = 0; i < count; i++) peer.push(item);
      },
    },
    count,
    rounds,
  );
  const at = capacity.toLocaleString("en");
  return [
    atMost(`BoundedList append at ${at}`, timings, "list", "array", "growing array", 1.5),
    atMost(`BoundedRing push at ${at}`, timings, "ring", "peer", "mnemonist", 1),
  ];
}

/** What V8 makes of every list that is not a plain array. */
class Subclass<T> extends Array<T> {}

function reads(rounds: number): Claim[] {
  const items = Array.from({ length: SPREAD_ITEMS }, (_, i) => ({ score: i, step: i }));
  const list = new BoundedList<object>(SPREAD_ITEMS);
  list.extend([...items, ...items.slice(0, 5_000)]);
  const plain = list.toList();
  let sum = 0;
  const index = compare(
    {
      list: (count) => {
        for (let i = 0; i < count; i++) if (list[i % SPREAD_ITEMS] !== undefined) sum++;
      },
    },
    200_000,
    rounds,
  );
  const subclassed = Subclass.from(plain) as Subclass<object>;
  const spread = compare(
    {
      list: (count) => {
        for (let i = 0; i < count; i++) sum += [...list].length;
      },
      subclass: (count) => {
        for (let i = 0; i < count; i++) sum += [...subclassed].length;
      },
    },
    20,
    rounds,
  );
  const each = (of: Readonly<Record<string, (from: readonly object[]) => number>>) =>
    Object.entries(of).map(([name, read]) => {
      const timings = compare(
        {
          list: (count) => {
            for (let i = 0; i < count; i++) sum += read(list);
          },
          array: (count) => {
            for (let i = 0; i < count; i++) sum += read(plain);
          },
        },
        20,
        rounds,
      );
      return atMost(`BoundedList, ${name} of 10,000`, timings, "list", "array", "array", 3);
    });
  const claims = [
    withinLimit("BoundedList index read", index["list"] ?? [], 150),
    atMost("BoundedList, spread of 10,000, as a subclass", spread, "list", "subclass", "empty subclass of Array", 1.5),
    ...each({ spread: (from) => [...from].length, JSON: (from) => JSON.stringify(from).length }),
  ];
  if (sum < 0) throw new Error("unreachable; keeps the work from being left out");
  return claims;
}

type Key = string | number;

/** A dictionary and its peer with the same keys, and what setting them and getting them in no order takes. */
function setsAndGets<K extends Key>(capacity: number, keys: readonly K[], rounds: number) {
  const dict = new BoundedDict<K, number>(capacity);
  const peer = new LRUCache<K, number>({ max: capacity });
  keys.forEach((key, i) => {
    dict.set(key, i);
    peer.set(key, i);
  });
  const count = Math.max(100_000, Math.min(400_000, capacity));
  let [a, b, c, d] = [0, 0, 0, 0];
  const set = compare(
    {
      dict: (n) => {
        for (let i = 0; i < n; i++) dict.set(keys[a++ % keys.length] as K, i);
      },
      peer: (n) => {
        for (let i = 0; i < n; i++) peer.set(keys[b++ % keys.length] as K, i);
      },
    },
    count,
    rounds,
  );
  const held = [...dict.keys()];
  for (const key of held) peer.set(key, 1);
  // As a trainer asks.
  const asked = held.map((_, i) => held[(i * 7_919) % held.length] as K);
  const get = compare(
    {
      dict: (n) => {
        for (let i = 0; i < n; i++) dict.get(asked[c++ % asked.length] as K);
      },
      peer: (n) => {
        for (let i = 0; i < n; i++) peer.get(asked[d++ % asked.length] as K);
      },
    },
    count,
    rounds,
  );
  return { dict, peer, set, get, asked, count };
}

function dicts(capacity: number, rounds: number): Claim[] {
  const keys = Array.from({ length: capacity * 2 }, (_, i) => `frame-${i}`);
  const { dict, peer, set, get, asked, count } = setsAndGets(capacity, keys, rounds);
  // Keys made for the question, as most are; the others were kept since they were set.
  const numbers = Uint32Array.from(asked, (key) => Number(key.slice("frame-".length)));
  let [a, b] = [0, 0];
  const getMade = compare(
    {
      dict: (n) => {
        for (let i = 0; i < n; i++) dict.get(`frame-${numbers[a++ % numbers.length]}`);
      },
      peer: (n) => {
        for (let i = 0; i < n; i++) peer.get(`frame-${numbers[b++ % numbers.length]}`);
      },
    },
    count,
    rounds,
  );
  const at = capacity.toLocaleString("en");
  return [
    atMost(`BoundedDict set at ${at}`, set, "dict", "peer", "lru-cache", 1),
    atMost(`BoundedDict get at ${at}`, get, "dict", "peer", "lru-cache", 1),
    atMost(`BoundedDict get at ${at}, key made for it`, getMade, "dict", "peer", "lru-cache", 1),
  ];
}

function otherKeys(rounds: number): Claim[] {
  const capacity = CAPACITIES.at(-1) as number;
  const at = capacity.toLocaleString("en");
  return OTHER_KEYS.flatMap(({ name, keyAt, bound }) => {
    const keys = Array.from({ length: capacity * 2 }, (_, index) => keyAt(index));
    const { set, get } = setsAndGets(capacity, keys, rounds);
    return [
      atMost(`BoundedDict set at ${at}, ${name}`, set, "dict", "peer", "lru-cache", bound),
      atMost(`BoundedDict get at ${at}, ${name}`, get, "dict", "peer", "lru-cache", bound),
    ];
  });
}

/**
 * From empty to two million keys at a capacity of one, each set timed by itself. The collector's pauses, which fall into
 * single sets too, are told apart; the best pass is the one nobody disturbed.
 */
async function longestDictOperation(isQuick: boolean): Promise<Claim> {
  const capacity = 1_000_000;
  const pauses = new CollectorPauses();
  const longest = (sets: readonly Span[]) =>
    sets.reduce((most, { beganMs, endedMs }) => Math.max(most, endedMs - beganMs), 0);
  const passes: { calmMs: number; anyMs: number }[] = [];
  for (let pass = 0; pass < (isQuick ? 2 : 5); pass++) {
    const dict = new BoundedDict<string, number>(capacity);
    const long: Span[] = [];
    for (let i = 0; i < capacity * 2; i++) {
      const key = `frame-${i}`;
      const beganMs = performance.now();
      dict.set(key, i);
      const endedMs = performance.now();
      if (endedMs - beganMs > LONG_SET_MS) long.push({ beganMs, endedMs });
    }
    await pauses.allHeard();
    passes.push({ calmMs: longest(pauses.calm(long)), anyMs: longest(long) });
  }
  // Nothing is known of sets below LONG_SET_MS.
  const longestMs = Math.max(LONG_SET_MS, Math.min(...passes.map(({ calmMs }) => calmMs)));
  const withPausesMs = Math.max(...passes.map(({ anyMs }) => anyMs));
  return {
    name: "BoundedDict, longest of 2 M sets at 1,000,000",
    store: "SDK",
    ours: `${longestMs.toFixed(2)} ms (${withPausesMs.toFixed(0)} ms with a pause of the collector)`,
    yardstick: "5 ms",
    value: longestMs / 5,
    bound: "<= 1",
    holds: longestMs <= 5,
  };
}

/** A ratio is the median of the ratios of each round: what slows the machine for a while slows both. */
function atMost(name: string, timings: Timings, ours: string, theirs: string, yardstick: string, bound: number): Claim {
  const [our, their] = [timings[ours] ?? [], timings[theirs] ?? []];
  const value = median(our.map((ns, round) => ns / (their[round] ?? Number.NaN)));
  return {
    name,
    store: "SDK",
    ours: duration(median([...our])),
    yardstick: `${yardstick} ${duration(median([...their]))}`,
    value,
    bound: `<= ${bound}`,
    holds: value <= bound,
  };
}

/**
 * A limit in nanoseconds is held by the fastest quarter of the rounds: where a virtual machine gets its processor for half
 * of the time only, the rest measures the neighbours.
 */
function withinLimit(name: string, rounds: readonly number[], limitNs: number): Claim {
  const ns = rounds.toSorted((a, b) => a - b)[Math.floor(rounds.length / 4)] ?? Number.NaN;
  const value = ns / limitNs;
  return {
    name,
    store: "SDK",
    ours: duration(ns),
    yardstick: duration(limitNs),
    value,
    bound: "<= 1",
    holds: value <= 1,
  };
}

function duration(ns: number): string {
  return ns >= 1_000 ? `${(ns / 1_000).toFixed(1)} us` : `${ns.toFixed(1)} ns`;
}
