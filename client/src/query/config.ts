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
  type SettingSource,
  sourcesOf,
} from "../limits-feed/central-config.js";
import { safeNumber } from "../records/safe-number.js";
import { Backoff } from "../transport/backoff.js";
import type { Channel } from "../transport/channel.js";
import { callStatus } from "../transport/status.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";
import type { ConfigChange, ConfigRollBack, ConfigUpdate } from "./config-change.js";
import { type Listing, listing } from "./pages.js";
import { undoneTo } from "./roll-back.js";
import type { WatchOptions } from "./watch.js";

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

  /**
   * Takes the limits back to what they were at an earlier version; 0: before the first change. A new version, as any
   * change; none where nothing differs. VersionMismatchError if somebody changes something meanwhile;
   * InvalidArgumentError for a version that never was.
   */
  async rollBack(version: number, why: ConfigRollBack = {}, options: CallOptions = {}): Promise<CentralConfig> {
    const update = await undoneTo(version, this.history({}, options));
    const { author, comment = `back to version ${version}` } = why;
    return await this.update({ ...update, author, comment }, options);
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
