/**
 * Tabular Q-learning (Watkins 1989): Q(s,a) += learningRate * (reward + discount * max Q(s',.) - Q(s,a)), with actions
 * chosen epsilon-greedily. Values begin at zero while every action costs something, so that what was never tried looks
 * best: the table explores by itself, and epsilon can be small.
 */
import type { Random } from "./random.js";

export interface QLearnerOptions {
  readonly actionCount: number;
  readonly random: Random;
  /** Share of the surprise that is learned at once. @default 0.3 */
  readonly learningRate?: number;
  /** What a reward one action later is worth now. @default 0.97 */
  readonly discount?: number;
}

export interface Experience {
  readonly situation: number;
  readonly action: number;
  readonly reward: number;
  /** Undefined at the end of an episode: nothing comes after. */
  readonly nextSituation: number | undefined;
}

export interface Lesson {
  /** How much better (or worse, if negative) things turned out than the table had foretold. */
  readonly surprise: number;
  /** Value of the action in that situation, now. */
  readonly value: number;
}

export class QLearner {
  readonly #random: Random;
  readonly #actionCount: number;
  readonly #learningRate: number;
  readonly #discount: number;
  readonly #values = new Map<number, Float64Array>();

  constructor({ actionCount, random, learningRate = 0.3, discount = 0.97 }: QLearnerOptions) {
    this.#actionCount = actionCount;
    this.#random = random;
    this.#learningRate = learningRate;
    this.#discount = discount;
  }

  /** Situations that were ever valued. */
  get situationCount(): number {
    return this.#values.size;
  }

  /** A random action with probability `epsilon`, else the best one; among equals one at random. */
  choose(situation: number, epsilon: number): number {
    if (this.#random() < epsilon) return Math.floor(this.#random() * this.#actionCount);
    const values = this.#valuesOf(situation);
    const best = Math.max(...values);
    const equals: number[] = [];
    values.forEach((value, action) => {
      if (value === best) equals.push(action);
    });
    return equals[Math.floor(this.#random() * equals.length)] ?? 0;
  }

  learn({ situation, action, reward, nextSituation }: Experience): Lesson {
    const values = this.#valuesOf(situation);
    const before = values[action] ?? 0;
    const after = nextSituation === undefined ? 0 : Math.max(...this.#valuesOf(nextSituation));
    const surprise = reward + this.#discount * after - before;
    const value = before + this.#learningRate * surprise;
    values[action] = value;
    return { surprise, value };
  }

  #valuesOf(situation: number): Float64Array {
    let values = this.#values.get(situation);
    if (values === undefined) {
      values = new Float64Array(this.#actionCount);
      this.#values.set(situation, values);
    }
    return values;
  }
}
