/** The central configuration: what the limits are, who changed them, and how to change them. */

import type { ClientReadableStream } from "@grpc/grpc-js";
import { status as GrpcStatus } from "@grpc/grpc-js";
import * as wire from "@tailkeep/proto";
import { type Clock, systemClock } from "../clock.js";
import { TailkeepError } from "../errors/errors.js";
import { errorFromStatus } from "../errors/from-status.js";
import {
  type ActionLimits,
  type CentralConfig,
  DEFAULT_CONFIG,
  type MemoryLimits,
  type SettingName,
  type SettingSource,
  sourcesOf,
} from "../limits-feed/central-config.js";
import { safeNumber } from "../records/safe-number.js";
import { Backoff } from "../transport/backoff.js";
import type { Channel } from "../transport/channel.js";
import { callStatus } from "../transport/status.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";
import { type Listing, listing } from "./pages.js";
import type { WatchOptions } from "./watch.js";

/** What to change; what is absent stays. */
export interface ConfigUpdate {
  /** Items in memory, each 1 to 100,000. */
  readonly memoryLimits?: { readonly [Name in keyof MemoryLimits]?: number | undefined } | undefined;
  /** Actions, each 1 to 10,000,000; scalingBase at most scalingMax. */
  readonly actionLimits?: { readonly [Name in keyof ActionLimits]?: number | undefined } | undefined;
  /** Settings that go back to what the server is configured with. @default none */
  readonly reset?: readonly SettingName[] | undefined;
  /** Version that the configuration must have now; VersionMismatchError otherwise. @default whatever it is */
  readonly expectedVersion?: number | undefined;
  /** Who changes it, at most 128 characters. @default nobody */
  readonly author?: string | undefined;
  /** Why, at most 1,024 characters. @default nothing */
  readonly comment?: string | undefined;
}

/** One change of the configuration. */
export interface ConfigChange {
  /** The version that it made. */
  readonly version: number;
  /** When: microseconds since 1970. */
  readonly createdAtUs: number;
  readonly author: string;
  readonly comment: string;
  /** What, by name of the setting; undefined: the database has no value, and the server's own holds. */
  readonly settings: Readonly<
    Record<string, { readonly before: number | undefined; readonly after: number | undefined }>
  >;
}

/** How much of the history of changes. */
export interface ConfigHistoryQuestion {
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number | undefined;
  /** From an earlier page. @default the first page */
  readonly pageToken?: string | undefined;
  /** Stop after this many. @default all */
  readonly limit?: number | undefined;
}

const service = wire.ConfigServiceService;

/** `client.config`. */
export class ConfigClient {
  readonly #caller: UnaryCaller;
  readonly #channel: Channel;
  readonly #clock: Clock;

  constructor(caller: UnaryCaller, channel: Channel, clock: Clock = systemClock) {
    this.#caller = caller;
    this.#channel = channel;
    this.#clock = clock;
  }

  /** The limits now. What was changed through another server shows after at most two seconds. */
  async get(options: CallOptions = {}): Promise<CentralConfig> {
    return centralConfig(await this.#caller.call(service.getConfig, {}, options));
  }

  /** The same, asked once, however the server is. @internal */
  async ask(options: CallOptions): Promise<CentralConfig> {
    return centralConfig(await this.#caller.call(service.getConfig, {}, options, "once"));
  }

  /**
   * Changes limits for every server on the database, and every trainer that follows them. InvalidArgumentError names the
   * setting that is out of bounds; nothing is changed then.
   */
  async update(update: ConfigUpdate, options: CallOptions = {}): Promise<CentralConfig> {
    const request = wire.UpdateConfigRequest.create({
      memoryLimits: update.memoryLimits,
      actionLimits: update.actionLimits,
      reset: [...(update.reset ?? [])],
      expectedVersion: update.expectedVersion === undefined ? undefined : BigInt(update.expectedVersion),
      author: update.author ?? "",
      comment: update.comment ?? "",
    });
    // Repeated blindly, it might undo what another changed in between.
    return centralConfig(await this.#caller.call(service.updateConfig, request, options, "once"));
  }

  /** Who changed what, newest first. The deadline is for each page. */
  history(question: ConfigHistoryQuestion = {}, options: CallOptions = {}): Listing<ConfigChange> {
    return listing(
      async (pageToken) => {
        const request = { pageSize: question.pageSize ?? 0, pageToken };
        const answer = await this.#caller.call(service.listConfigChanges, request, options);
        return { items: answer.changes.map(configChange), nextPageToken: answer.nextPageToken };
      },
      { pageToken: question.pageToken, itemsMax: question.limit },
    );
  }

  /**
   * The limits now, and again after each change, over lost connections, until the signal or `break` ends it. Changes that
   * come faster than they are read are seen as one. Keeps the process alive; `recorder.limits` does not.
   */
  async *watch(options: WatchOptions = {}): AsyncGenerator<CentralConfig, void, undefined> {
    const { signal, onReconnect } = options;
    const backoff = new Backoff(() => this.#clock.random());
    let last = "";
    while (!signal?.aborted) {
      let lost: TailkeepError | undefined;
      try {
        for await (const config of this.#call(signal)) {
          backoff.reset();
          const text = JSON.stringify(config);
          if (text === last) continue;
          last = text;
          yield config;
        }
        lost = errorFromStatus({ status: GrpcStatus.UNAVAILABLE, message: "the server ended the call" });
      } catch (error) {
        if (signal?.aborted) return;
        if (!(error instanceof TailkeepError) || !error.retryable || error.code === "CLIENT_CLOSED") throw error;
        lost = error;
      }
      if (signal?.aborted) return;
      onReconnect?.(lost);
      await this.#sleep(backoff.nextMs(lost.retryAfterMs), signal);
    }
  }

  async *#call(signal: AbortSignal | undefined): AsyncGenerator<CentralConfig, void, undefined> {
    const call = this.#open();
    // Stays for good: an error after the end must not become an uncaught exception.
    call.on("error", () => undefined);
    const onAbort = (): void => call.cancel();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      for await (const message of call) yield centralConfig(message as wire.Config);
    } catch (error) {
      throw error instanceof TailkeepError ? error : errorFromStatus(callStatus(error as object), error);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      call.cancel();
    }
  }

  #open(): ClientReadableStream<wire.Config> {
    const { path, requestSerialize, responseDeserialize } = service.watchConfig;
    try {
      const metadata = this.#channel.metadata();
      return this.#channel.grpc.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, metadata, {});
    } catch (error) {
      // A closed channel throws.
      const message = error instanceof Error ? error.message : String(error);
      throw errorFromStatus({ status: GrpcStatus.CANCELLED, message, code: "CLIENT_CLOSED" }, error);
    }
  }

  #sleep(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const stop = this.#clock.afterKeepingAlive(delayMs, end);
      signal?.addEventListener("abort", end, { once: true });
    });
  }
}

const SOURCES: ReadonlyMap<wire.ConfigSource, SettingSource> = new Map<wire.ConfigSource, SettingSource>([
  [wire.ConfigSource.SERVER, "server"],
  [wire.ConfigSource.DATABASE, "database"],
]);

/** Frozen. What the server does not say, being older, has its default. */
function centralConfig(config: wire.Config): CentralConfig {
  return Object.freeze({
    version: safeNumber(config.version, "version"),
    updatedAtUs: safeNumber(config.updatedAtUs, "updated_at_us"),
    memoryLimits: filled(DEFAULT_CONFIG.memoryLimits, config.memoryLimits),
    actionLimits: filled(DEFAULT_CONFIG.actionLimits, config.actionLimits),
    sources: sourcesOf((name) => SOURCES.get(config.sources[name] ?? wire.ConfigSource.UNSPECIFIED) ?? "default"),
  });
}

function filled<Group extends MemoryLimits | ActionLimits>(defaults: Group, said: object | undefined): Group {
  const values = (said ?? {}) as Record<string, number | undefined>;
  const entries = Object.entries(defaults).map(([name, value]) => [name, values[name] ?? (value as number)]);
  return Object.freeze(Object.fromEntries(entries) as Group);
}

function configChange(change: wire.ConfigChange): ConfigChange {
  return {
    version: safeNumber(change.version, "version"),
    createdAtUs: safeNumber(change.createdAtUs, "created_at_us"),
    author: change.author,
    comment: change.comment,
    settings: Object.fromEntries(
      Object.entries(change.settings).map(([name, { before, after }]) => [name, { before, after }]),
    ),
  };
}
