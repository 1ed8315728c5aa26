// A dictionary of frames: an explorer walks through a maze and asks of each frame whether it has seen it before. Fifty
// frames stay in memory; those that were evicted are found again in the database, by their hash.
import { createHash } from "node:crypto";
import { DatabaseBoundedDict } from "@tailkeep/client";

const MAZE = ["#########", "#...#...#", "#.#.#.#.#", "#.#...#.#", "#.#####.#", "#.......#", "#########"];

interface Seen {
  readonly visits: number;
  readonly firstStep: number;
}

const frames = new DatabaseBoundedDict<"frame_tracking", Seen>("frame_tracking", { gameId: "maze", capacity: 5 });

let at = { x: 1, y: 1 };
let from = at;
for (let step = 1; step <= 200; step++) {
  const hash = hashOf(at);
  const before = frames.get(hash) ?? (await frames.fetch(hash));
  frames.set(hash, { visits: (before?.visits ?? 0) + 1, firstStep: before?.firstStep ?? step });
  const doors = [
    { x: at.x + 1, y: at.y },
    { x: at.x, y: at.y + 1 },
    { x: at.x - 1, y: at.y },
    { x: at.x, y: at.y - 1 },
  ].filter(({ x, y }) => MAZE[y]?.[x] === ".");
  // Not back where it came from, unless there is no other way.
  const [next] = doors.filter(({ x, y }) => x !== from.x || y !== from.y);
  [from, at] = [at, next ?? from];
}

console.log(`in memory: ${frames.size} frames`);
const all = new Map<string, Seen>();
for await (const { key, value } of frames.history({ order: "oldest" })) all.set(key, value);
console.log(`in the database: ${all.size} frames`);
const [first = ""] = all.keys();
console.log(
  `the first one was seen ${all.get(first)?.visits} times, says the dictionary: ${(await frames.fetch(first))?.visits}`,
);

function hashOf({ x, y }: { readonly x: number; readonly y: number }): string {
  const picture = MAZE.map((row, j) => (j === y ? `${row.slice(0, x)}@${row.slice(x + 1)}` : row)).join("\n");
  return createHash("sha256").update(picture).digest("hex").slice(0, 16);
}
