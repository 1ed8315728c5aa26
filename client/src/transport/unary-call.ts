/** One question and its answer: deadline, signal, and a few repetitions of what may be repeated. */

import type { ServiceError } from "@grpc/grpc-js";
import { type Clock, systemClock } from "../clock.js";
import { abortedBy } from "../errors/aborted-by.js";
import { InvalidArgumentError, TailkeepError } from "../errors/errors.js";
import { errorFromStatus } from "../errors/from-status.js";
import { READ_ATTEMPTS_MAX } from "../limits.js";
import { Backoff } from "./backoff.js";
import type { Channel } from "./channel.js";
import { callStatus } from "./status.js";

/** How long to wait, and how to stop waiting. */
export interface CallOptions {
  /** Milliseconds, repetitions included. @default the client's timeoutMs, 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call, which then rejects with AbortedBySignalError. */
  readonly signal?: AbortSignal | undefined;
}

/** A unary method as ts-proto describes it. */
export interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Whether a call may be made again when the server was unavailable: reads, and writes whose repetition is harmless. */
export type Repetition = "repeatable" | "once";

export class UnaryCaller {
  readonly #channel: Channel;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor(channel: Channel, timeoutMs: number, clock: Clock = systemClock) {
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  async call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
    repetition: Repetition = "repeatable",
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    if (!(timeoutMs > 0)) {
      throw new InvalidArgumentError(`timeoutMs must be above 0, but is ${timeoutMs}`, {
        code: "BAD_FIELD",
        retryable: false,
        grpcStatus: 3,
      });
    }
    const deadlineMs = this.#clock.nowMs() + timeoutMs;
    const backoff = new Backoff(() => this.#clock.random());
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(method, request, deadlineMs - this.#clock.nowMs(), options.signal);
      } catch (error) {
        if (!(error instanceof TailkeepError)) throw error;
        if (repetition === "once" || error.grpcStatus !== 14 || attempt >= READ_ATTEMPTS_MAX) throw error;
        const delayMs = backoff.nextMs(error.retryAfterMs);
        if (this.#clock.nowMs() + delayMs >= deadlineMs) throw error;
        await this.#sleep(delayMs, options.signal);
      }
    }
  }

  #once<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortedBy(signal));
        return;
      }
      const onAbort = (): void => {
        // The call's own answer, CANCELLED, comes too late to matter.
        reject(abortedBy(signal));
        call.cancel();
      };
      const call = this.#channel.grpc.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.#channel.metadata(),
        { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, response?: Response) => {
          signal?.removeEventListener("abort", onAbort);
          if (error !== null) reject(errorFromStatus(callStatus(error), error));
          else resolve(response as Response);
        },
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        stop();
        reject(abortedBy(signal));
      };
      const stop = this.#clock.afterKeepingAlive(delayMs, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}
