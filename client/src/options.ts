import type { ChannelCredentials, ChannelOptions } from "@grpc/grpc-js";
import { CALL_TIMEOUT_MS_DEFAULT } from "./limits.js";
import { id } from "./records/id.js";

/** How to reach the server. Everything has a default. */
export interface ConnectOptions {
  /** Address as `host:port`, or any grpc target. @default env TAILKEEP_SERVER, else "127.0.0.1:50051" */
  readonly server?: string | undefined;
  /** Session of streams that name none, 1 to 128 characters. @default env TAILKEEP_SESSION, else "unknown" */
  readonly sessionId?: string | undefined;
  /** Deadline of every call that gives none, in milliseconds. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** TLS and its certificates. @default plain text */
  readonly credentials?: ChannelCredentials | undefined;
  /** Sent with every call. @default none */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** grpc-js channel options on top of the client's own. @default none */
  readonly channelOptions?: ChannelOptions | undefined;
}

/** Options with every default filled in. */
export interface ResolvedConnectOptions {
  readonly server: string;
  readonly sessionId: string;
  readonly timeoutMs: number;
  readonly credentials: ChannelCredentials | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly channelOptions: ChannelOptions;
}

/** Reads the environment, once. */
export function resolveConnectOptions(
  options: ConnectOptions = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedConnectOptions {
  return Object.freeze({
    server: options.server ?? (env["TAILKEEP_SERVER"] || "127.0.0.1:50051"),
    sessionId: id(options.sessionId ?? (env["TAILKEEP_SESSION"] || "unknown"), "sessionId"),
    timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS_DEFAULT,
    credentials: options.credentials,
    metadata: Object.freeze({ ...options.metadata }),
    channelOptions: Object.freeze({ ...options.channelOptions }),
  });
}
