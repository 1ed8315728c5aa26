/** Recognises frames: their hashes, and whether the game stands still. One for each episode. */
import { createHash } from "node:crypto";

/** A frame seen this often in one episode means that the player walks in circles or into walls. */
const REPEATS_STAGNANT = 4;

export interface SeenFrame {
  readonly hash: string;
  /** How often it was seen in this episode, this time included. */
  readonly timesSeen: number;
  readonly stagnant: boolean;
}

export class FrameWatch {
  readonly #timesSeen = new Map<string, number>();

  see(frame: readonly (readonly number[])[]): SeenFrame {
    const hash = createHash("sha256").update(JSON.stringify(frame)).digest("hex").slice(0, 16);
    const timesSeen = (this.#timesSeen.get(hash) ?? 0) + 1;
    this.#timesSeen.set(hash, timesSeen);
    return { hash, timesSeen, stagnant: timesSeen >= REPEATS_STAGNANT };
  }

  get differentFrames(): number {
    return this.#timesSeen.size;
  }
}
