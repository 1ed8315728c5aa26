/** What a fault is to the harness: planned from a seed, injected into a running round, healed at its end. */
import type { StreamJournal } from "../harness/journal.js";
import type { Violation } from "../harness/oracle.js";
import type { SeededRandom } from "../harness/random.js";
import type { StoreKind } from "../harness/system.js";
import type { Trainer } from "../harness/trainer.js";
import type { Rig } from "./rig/rig.js";

/** What a schedule fixes of a fault: numbers and words, so that it can be printed and repeated. */
export type FaultChoice = Readonly<Record<string, number | string>>;

export interface RunningRound {
  readonly rig: Rig;
  readonly name: string;
  readonly trainers: readonly Trainer[];
  readonly sessionIds: readonly string[];
  readonly violations: Violation[];
  /** The server's or the database's clock was set in this round. */
  clockWasSet: boolean;
  /** Up to where the store was made to forget what had been acked; nothing beyond may be given up. */
  readonly forgettable: Map<StreamJournal, number>;
  /** What recorder trainers said of themselves. */
  readonly readings: TrainerReading[];
  /** A session of this round that nobody else writes. */
  freshSessionId(): string;
}

/** How a recorder treated its trainer. */
export interface TrainerReading {
  /** Given up and declared so: its disk was full, and so was its memory. */
  readonly dropped: number;
  readonly appendP999Us: number;
  readonly stallMsMax: number;
}

export interface FaultKind {
  /** In the project's list of faults. */
  readonly number: number;
  readonly name: string;
  /** Who may notice: everybody, or only who is at the other end of what breaks. */
  readonly reach: "everybody" | "some";
  readonly stores: readonly StoreKind[];
  /** Nothing else may happen in its round. */
  readonly isAlone?: boolean;
  /** Takes seconds, so it comes in its turn only, and not as another fault's company. */
  readonly isSlow?: boolean;
  /** Why it cannot be injected here. */
  missing?(rig: Rig): string | undefined;
  readonly choose: (random: SeededRandom) => FaultChoice;
  /** Resolves when the fault is healed. */
  inject(choice: FaultChoice, round: RunningRound): Promise<void>;
}

export const BOTH: readonly StoreKind[] = ["sqlite", "mysql"];
export const MYSQL: readonly StoreKind[] = ["mysql"];
export const SQLITE: readonly StoreKind[] = ["sqlite"];

export function numberOf(choice: FaultChoice, name: string): number {
  const value = choice[name];
  if (typeof value !== "number") throw new Error(`the schedule has no number ${name}`);
  return value;
}

/** Mostly short, now and then long: what a timeout waits for is met too, and a thousand rounds end within the hour. */
export function duration(random: SeededRandom, msMin: number, msUsual: number, msMax: number): number {
  return random.chance(0.96) ? random.whole(msMin, msUsual) : random.whole(msUsual, msMax);
}
