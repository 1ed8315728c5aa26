/**
 * The game: fetch the key, then reach the door, within a number of actions. Ice makes some steps go sideways, a pit ends
 * the game. What a player sees is a frame, a grid of colours; what it can do are four actions.
 *
 *   running -- enters the door with the key --> won
 *   running -- falls into a pit, or has used its actions --> lost
 */
import type { Random } from "./random.js";

export const GAME_ID = "key-and-door";

export const ACTIONS = ["ACTION1", "ACTION2", "ACTION3", "ACTION4"] as const;
export type Action = (typeof ACTIONS)[number];

const DIRECTIONS: Readonly<Record<Action, Cell>> = {
  ACTION1: { x: 0, y: -1 },
  ACTION2: { x: 0, y: 1 },
  ACTION3: { x: -1, y: 0 },
  ACTION4: { x: 1, y: 0 },
};

const LEVEL = [
  "##########",
  "#S...#..K#",
  "#.##.#.#.#",
  "#.#..~.#.#",
  "#.#.##.#.#",
  "#...~..o.#",
  "###.####.#",
  "#..~..o..#",
  "#.##.##.D#",
  "##########",
] as const;

const COLOUR = { floor: 0, wall: 5, ice: 8, pit: 2, key: 4, door: 3, player: 1 } as const;
const COLOUR_OF_TILE: Readonly<Record<string, number>> = {
  "#": COLOUR.wall,
  "~": COLOUR.ice,
  o: COLOUR.pit,
  K: COLOUR.key,
  D: COLOUR.door,
};

const KEY_POINTS = 30;
const DOOR_POINTS = 70;
const SLIP_PROBABILITY = 0.2;
/** The shortest win takes 18 actions; three times that leaves room to slip and to err, not to stumble on the door. */
export const ACTIONS_MAX = 54;

export interface Cell {
  readonly x: number;
  readonly y: number;
}

export type GameState = "running" | "won" | "lost";

export interface StepResult {
  /** The cell that the action meant to enter. */
  readonly aimed: Cell;
  /** Whether the player is in it now. */
  readonly entered: boolean;
  /** Whether the player slipped, and may have gone elsewhere. */
  readonly slipped: boolean;
  /** Points gained by this action. */
  readonly points: number;
}

export class GridGame {
  static readonly width = LEVEL[0].length;
  static readonly height = LEVEL.length;
  static readonly scoreMax = KEY_POINTS + DOOR_POINTS;

  readonly #random: Random;
  #player = START;
  #hasKey = false;
  #score = 0;
  #actionsTaken = 0;
  #state: GameState = "running";

  constructor(random: Random) {
    this.#random = random;
  }

  get player(): Cell {
    return this.#player;
  }
  get hasKey(): boolean {
    return this.#hasKey;
  }
  get score(): number {
    return this.#score;
  }
  get actionsTaken(): number {
    return this.#actionsTaken;
  }
  get state(): GameState {
    return this.#state;
  }

  /** All that matters for what to do next, as one number: place and key. */
  get situation(): number {
    return (this.#player.y * GridGame.width + this.#player.x) * 2 + (this.#hasKey ? 1 : 0);
  }

  act(action: Action): StepResult {
    if (this.#state !== "running") throw new Error("the game is over: start another one");
    const direction = DIRECTIONS[action];
    const aimed = neighbour(this.#player, direction);
    const slipped = tileAt(this.#player) === "~" && this.#random() < SLIP_PROBABILITY;
    const reached = slipped ? neighbour(this.#player, this.#sideways(direction)) : aimed;
    const scoreBefore = this.#score;
    if (this.#canEnter(reached)) this.#enter(reached);
    this.#actionsTaken += 1;
    if (this.#state === "running" && this.#actionsTaken === ACTIONS_MAX) this.#state = "lost";
    const entered = this.#player.x === aimed.x && this.#player.y === aimed.y;
    return { aimed, entered, slipped, points: this.#score - scoreBefore };
  }

  /** What the player sees: rows of colours. */
  frame(): number[][] {
    const frame = LEVEL.map((row) => Array.from(row, (tile) => this.#colourOf(tile)));
    const row = frame[this.#player.y];
    if (row) row[this.#player.x] = COLOUR.player;
    return frame;
  }

  #sideways({ x, y }: Cell): Cell {
    const side = this.#random() < 0.5 ? 1 : -1;
    return { x: y * side, y: x * side };
  }

  #canEnter(cell: Cell): boolean {
    const tile = tileAt(cell);
    return tile !== "#" && (tile !== "D" || this.#hasKey);
  }

  #enter(cell: Cell): void {
    this.#player = cell;
    const tile = tileAt(cell);
    if (tile === "K" && !this.#hasKey) {
      this.#hasKey = true;
      this.#score += KEY_POINTS;
    } else if (tile === "D") {
      this.#score += DOOR_POINTS;
      this.#state = "won";
    } else if (tile === "o") {
      this.#state = "lost";
    }
  }

  #colourOf(tile: string): number {
    return tile === "K" && this.#hasKey ? COLOUR.floor : (COLOUR_OF_TILE[tile] ?? COLOUR.floor);
  }
}

const START = findTile("S");

function findTile(tile: string): Cell {
  const y = LEVEL.findIndex((row) => row.includes(tile));
  return { x: LEVEL[y]?.indexOf(tile) ?? 0, y };
}

function tileAt({ x, y }: Cell): string {
  return LEVEL[y]?.[x] ?? "#";
}

function neighbour(cell: Cell, direction: Cell): Cell {
  return { x: cell.x + direction.x, y: cell.y + direction.y };
}
