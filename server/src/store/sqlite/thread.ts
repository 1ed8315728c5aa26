/**
 * Calls across a worker thread: SQLite blocks while it works, so it never runs on the event loop.
 *
 * A thread answers in the order it was asked, one call at a time.
 */
import { parentPort, Worker } from "node:worker_threads";
import { StoreError, type StoreErrorKind } from "../errors.js";
import { sqliteError } from "./errors.js";

interface Call {
  id: number;
  op: string;
  args: unknown[];
}

type Answer =
  | { id: number; ok: true; result: unknown }
  | { id: number; ok: false; kind: StoreErrorKind; message: string; code: string };

/** Answers calls to the methods of `target`; runs in the thread. */
export function serveThread(target: Record<string, (...args: never[]) => unknown>): void {
  const port = parentPort;
  if (port === null) throw new Error("runs in a worker thread only");
  port.on("message", ({ id, op, args }: Call) => {
    let answer: Answer;
    try {
      const method = target[op];
      if (method === undefined) throw new Error(`no operation ${op}`);
      answer = { id, ok: true, result: method(...(args as never[])) };
    } catch (error) {
      const { kind, message, code } = sqliteError(error);
      answer = { id, ok: false, kind, message, code };
    }
    port.postMessage(answer);
  });
}

/**
 * V8 sizes a heap by the machine's memory and lets garbage lie until it is needed. What a thread really needs is a few
 * transactions (8 MiB encoded, four times that decoded) or a page of the largest records.
 */
const HEAP = { maxYoungGenerationSizeMb: 32, maxOldGenerationSizeMb: 384 };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: StoreError): void;
}

/** The other side: one thread and the calls that wait for it. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #failure: StoreError | undefined;

  constructor(file: URL, data: unknown) {
    this.#worker = new Worker(file, { workerData: data, resourceLimits: HEAP });
    this.#worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) waiting?.resolve(answer.result);
      else waiting?.reject(new StoreError(answer.kind, answer.message, answer.code));
    });
    this.#worker.on("error", (error) => this.#fail(`the store's thread failed: ${error.message}`));
    this.#worker.on("exit", (code) => this.#fail(`the store's thread ended (${code})`));
  }

  /** Calls waiting for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  call<Result>(op: string, ...args: unknown[]): Promise<Result> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<Result>((resolve, reject) => {
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.postMessage({ id: this.#lastId, op, args } satisfies Call);
    });
  }

  async end(): Promise<void> {
    this.#failure ??= new StoreError("unavailable", "the store is closed", "CLOSED");
    await this.#worker.terminate();
  }

  #fail(message: string): void {
    this.#failure ??= new StoreError("unavailable", message, "THREAD_ENDED");
    for (const waiting of this.#waiting.values()) waiting.reject(this.#failure);
    this.#waiting.clear();
  }
}
