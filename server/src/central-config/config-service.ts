/** ConfigService: the central configuration, and a call for whoever follows it. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  type Config,
  ConfigServiceService,
  ConfigSource,
  GetConfigRequest,
  ListConfigChangesRequest,
  type ListConfigChangesResponse,
  type SettingChange,
  UpdateConfigRequest,
  WatchConfigRequest,
} from "@tailkeep/proto";
import {
  CONFIG_AUTHOR_CHARS_MAX,
  CONFIG_COMMENT_CHARS_MAX,
  CONFIG_WATCHERS_MAX,
  OVERLOAD_RETRY_AFTER_MS,
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  SAFE_INTEGER_MAX,
} from "../limits.js";
import { shortTextProblem } from "../record/text.js";
import { badField, RpcError, rpcError } from "../rpc/errors.js";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.js";
import type { Service } from "../rpc/server.js";
import { decodeRequest, type Gate, unary } from "../rpc/unary.js";
import type { ConfigRow } from "../store/config.js";
import type { Store } from "../store/store.js";
import type { CentralConfig, CurrentConfig } from "./central-config.js";
import type { Values } from "./settings.js";

export interface ConfigContext {
  store: Store;
  central: CentralConfig;
  /** Aborted when the server ends; watchers then reconnect. */
  stopping: AbortSignal;
}

const SOURCES = {
  default: ConfigSource.DEFAULT,
  server: ConfigSource.SERVER,
  database: ConfigSource.DATABASE,
} as const;

function message({ version, updatedAtUs, memoryLimits, actionLimits, sources }: CurrentConfig): Config {
  return {
    version: BigInt(version),
    updatedAtUs: BigInt(updatedAtUs),
    memoryLimits,
    actionLimits,
    sources: Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, SOURCES[source]])),
  };
}

/** What is present of a group, by name of the setting. */
function present(group: string, limits: object | undefined): Values {
  const entries = Object.entries(limits ?? {}).filter((entry): entry is [string, number] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [`${group}.${name}`, value]));
}

function text(field: string, value: string, charsMax: number): string {
  const problem = shortTextProblem(value, charsMax);
  if (problem !== undefined) throw badField(field, problem);
  return value;
}

function expected(version: bigint | undefined): number | null {
  if (version === undefined) return null;
  if (version >= 0n && version <= SAFE_INTEGER_MAX) return Number(version);
  throw badField("expected_version", "must be 0 or a version that was read");
}

async function updateConfig(central: CentralConfig, request: UpdateConfigRequest): Promise<Config> {
  const updated = await central.update({
    set: { ...present("memoryLimits", request.memoryLimits), ...present("actionLimits", request.actionLimits) },
    reset: request.reset,
    expectedVersion: expected(request.expectedVersion),
    author: text("author", request.author, CONFIG_AUTHOR_CHARS_MAX),
    comment: text("comment", request.comment, CONFIG_COMMENT_CHARS_MAX),
  });
  return message(updated);
}

async function listConfigChanges(store: Store, request: ListConfigChangesRequest): Promise<ListConfigChangesResponse> {
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["configChanges"];
  const token = decodePageToken(request.pageToken, question, ["number"]);
  const rows = await store.reads.listConfigChanges(token === undefined ? undefined : Number(token[0]), limit);
  const last = rows.at(-1);
  return {
    changes: rows.map((row: ConfigRow) => ({
      version: BigInt(row.version),
      createdAtUs: BigInt(row.createdAtUs),
      author: row.author,
      comment: row.comment,
      settings: JSON.parse(row.changesJson) as Record<string, SettingChange>,
    })),
    nextPageToken: last !== undefined && rows.length === limit ? encodePageToken(question, [last.version]) : "",
  };
}

type WatchStream = ServerWritableStream<Buffer, Config>;

class Watchers {
  readonly #context: ConfigContext;
  readonly #gate: Gate;
  #count = 0;

  constructor(context: ConfigContext, gate: Gate) {
    this.#context = context;
    this.#gate = gate;
  }

  watch(call: WatchStream): void {
    const gate = this.#gate;
    const startedMs = performance.now();
    const abort = new AbortController();
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => abort.abort());
    this.#run(call, abort.signal).then(
      () => gate.finished("WatchConfig", "OK", performance.now() - startedMs),
      (thrown: unknown) => {
        const error = rpcError(thrown, (unexpected) => gate.unexpected(unexpected));
        gate.finished("WatchConfig", error.code, performance.now() - startedMs);
        if (!abort.signal.aborted) call.emit("error", error.toStatus());
      },
    );
  }

  async #run(call: WatchStream, gone: AbortSignal): Promise<void> {
    const { ended: unwelcome } = this.#gate.admit(call);
    decodeRequest(WatchConfigRequest, call.request);
    if (this.#count >= CONFIG_WATCHERS_MAX) {
      throw new RpcError("OVERLOADED", `${CONFIG_WATCHERS_MAX} watchers are connected; ask with GetConfig`, {
        retryAfterMs: OVERLOAD_RETRY_AFTER_MS,
      });
    }
    const { central, stopping } = this.#context;
    const ended = AbortSignal.any([gone, stopping, unwelcome]);
    let wake: () => void = () => undefined;
    const forget = central.onChange(() => wake());
    call.on("drain", () => wake());
    ended.addEventListener("abort", () => wake());
    this.#count++;
    try {
      await central.get();
      let sent: CurrentConfig | undefined;
      while (!ended.aborted) {
        // A reader that is slow gets the newest when it is ready for it.
        const isReady = !call.writableNeedDrain;
        if (isReady && central.current !== sent) {
          sent = central.current;
          call.write(message(sent));
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      this.#count--;
      forget();
    }
    if (unwelcome.aborted) throw unwelcome.reason;
    if (stopping.aborted) throw new RpcError("SHUTTING_DOWN", "the server is shutting down; reconnect");
  }
}

export function configService(context: ConfigContext, gate: Gate): Service {
  const { store, central } = context;
  const watchers = new Watchers(context, gate);
  return {
    definition: ConfigServiceService,
    implementation: {
      getConfig: unary("GetConfig", gate, GetConfigRequest, async () => message(await central.get())),
      updateConfig: unary("UpdateConfig", gate, UpdateConfigRequest, (_namespace, request) =>
        updateConfig(central, request),
      ),
      listConfigChanges: unary("ListConfigChanges", gate, ListConfigChangesRequest, (_namespace, request) =>
        listConfigChanges(store, request),
      ),
      watchConfig: (call: WatchStream) => watchers.watch(call),
    },
  };
}
