/**
 * A lane: one connection that runs one transaction at a time.
 *
 * Where the answer to COMMIT is lost the outcome is unknown: the connection is destroyed and the caller runs the whole
 * transaction again on a new one, whose locking read tells what happened. A COMMIT that the server answers with an error
 * did not happen: Galera finds conflicts, and transactions that are too large, only there.
 */

import type { MysqlTarget } from "../../base/mysql-url.js";
import { StoreError } from "../errors.js";
import { closedError, Session } from "./connection.js";

export class Lane {
  readonly #target: MysqlTarget;
  #session: Session | undefined;
  #closed = false;

  constructor(target: MysqlTarget) {
    this.#target = target;
  }

  async transaction<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    const session = await this.#connected();
    let result: Result;
    try {
      result = await work(session);
    } catch (error) {
      // After a lock wait only the statement was undone; the locks of those before it must go too.
      if (!session.lost) await session.query("ROLLBACK").catch(() => session.destroy());
      throw error;
    }
    try {
      await session.query("COMMIT");
      return result;
    } catch (error) {
      if (!session.lost) {
        await session.query("ROLLBACK").catch(() => session.destroy());
        throw error;
      }
      const { message, code } = error as StoreError;
      throw new StoreError("unknownOutcome", `COMMIT was not answered: ${message}`, code, { cause: error });
    }
  }

  /** Statements outside a transaction: DDL, which commits by itself. */
  async direct<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return work(await this.#connected());
  }

  close(): void {
    this.#closed = true;
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #connected(): Promise<Session> {
    if (this.#closed) throw closedError();
    if (this.#session !== undefined && !this.#session.lost) return this.#session;
    const session = await Session.connect(this.#target);
    if (this.#closed) {
      session.destroy();
      throw closedError();
    }
    this.#session = session;
    return session;
  }
}

/** Lanes that are lent out one transaction at a time, first come first served. */
export class Lanes {
  readonly #idle: Lane[];
  readonly #all: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  constructor(target: MysqlTarget, count: number) {
    this.#all = Array.from({ length: count }, () => new Lane(target));
    this.#idle = [...this.#all];
  }

  async transaction<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#lend((lane) => lane.transaction(work));
  }

  async direct<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    return this.#lend((lane) => lane.direct(work));
  }

  close(): void {
    for (const lane of this.#all) lane.close();
  }

  async #lend<Result>(use: (lane: Lane) => Promise<Result>): Promise<Result> {
    const lane = this.#idle.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      return await use(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(lane);
      else next(lane);
    }
  }
}
