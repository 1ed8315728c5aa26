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
  | { id: number; ok: true; result: unknown; workedMs: number }
  | { id: number; ok: false; kind: StoreErrorKind; message: string; code: string };

/** Answers calls to the methods of `target`; runs in the thread. */
export function serveThread(target: Record<string, (...args: never[]) => unknown>): void {
  const port = parentPort;
  if (port === null) throw new Error("runs in a worker thread only");
  port.on("message", ({ id, op, args }: Call) => {
    let answer: Answer;
    const startedMs = performance.now();
    try {
      const method = target[op];
      if (method === undefined) throw new Error(`no operation ${op}`);
      const result = method(...(args as never[]));
      answer = { id, ok: true, result, workedMs: performance.now() - startedMs };
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

/** The result of a call, and how long the thread worked for it; that the call waited for its turn is no work. */
export interface Timed<Result> {
  readonly result: Result;
  readonly workedMs: number;
}

interface Waiting {
  resolve(answer: Timed<unknown>): void;
  reject(error: StoreError): void;
}

/**
 * The other side: one thread and the calls that wait for it. A thread that died (out of memory, say) takes its calls with
 * it, whose outcome is unknown; the next call starts another one.
 */
export class Thread {
  readonly #file: URL;
  readonly #data: unknown;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #closed = false;

  constructor(file: URL, data: unknown) {
    this.#file = file;
    this.#data = data;
    this.#worker = this.#spawn();
  }

  /** Calls waiting for an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async call<Result>(op: string, ...args: unknown[]): Promise<Result> {
    return (await this.timed<Result>(op, ...args)).result;
  }

  timed<Result>(op: string, ...args: unknown[]): Promise<Timed<Result>> {
    if (this.#closed) return Promise.reject(new StoreError("unavailable", "the store is closed", "CLOSED"));
    this.#worker ??= this.#spawn();
    return this.#send<Result>(this.#worker, op, args);
  }

  /** Ends the thread after the calls before; `close` is its last operation. */
  async end(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    await this.#send(worker, "close", []).catch(() => undefined);
    await worker.terminate();
  }

  #send<Result>(worker: Worker, op: string, args: unknown[]): Promise<Timed<Result>> {
    return new Promise<Timed<Result>>((resolve, reject) => {
      const id = ++this.#lastId;
      worker.postMessage({ id, op, args } satisfies Call);
      this.#waiting.set(id, { resolve: resolve as (answer: Timed<unknown>) => void, reject });
    });
  }

  #spawn(): Worker {
    const worker = new Worker(this.#file, { workerData: this.#data, resourceLimits: HEAP });
    let reason = "";
    worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) waiting?.resolve(answer);
      else waiting?.reject(new StoreError(answer.kind, answer.message, answer.code));
    });
    worker.on("error", (error) => {
      reason = `: ${error.message}`;
    });
    // Not at the error: until its end a thread holds the locks on its files.
    worker.on("exit", (code) => {
      this.#worker = undefined;
      const error = new StoreError("unavailable", `the store's thread ended (${code})${reason}`, "THREAD_ENDED");
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    });
    return worker;
  }
}
