import { readFileSync } from "node:fs";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { InvalidArgumentError } from "./errors/errors.js";
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
  /** Sent with every call as `authorization: Bearer ...`. @default env TAILKEEP_API_KEY, else none */
  readonly apiKey?: string | undefined;
  /** Certificates (PEM file) that the server's must be signed by; switches TLS on. @default env TAILKEEP_CA, else none */
  readonly caFile?: string | undefined;
  /** TLS in any other form. @default by `caFile`, else plain text */
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
  const apiKey = options.apiKey ?? (env["TAILKEEP_API_KEY"] || undefined);
  const caFile = options.caFile ?? (env["TAILKEEP_CA"] || undefined);
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  return Object.freeze({
    server: options.server ?? (env["TAILKEEP_SERVER"] || "127.0.0.1:50051"),
    sessionId: id(options.sessionId ?? (env["TAILKEEP_SESSION"] || "unknown"), "sessionId"),
    timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS_DEFAULT,
    credentials: options.credentials ?? (caFile === undefined ? undefined : tls(caFile)),
    metadata: Object.freeze({ ...authorization, ...options.metadata }),
    channelOptions: Object.freeze({ ...options.channelOptions }),
  });
}

/** Never falls back to plain text: a file that cannot be used is an error at once. */
function tls(caFile: string): ChannelCredentials {
  try {
    return credentials.createSsl(readFileSync(caFile));
  } catch (cause) {
    throw new InvalidArgumentError(
      `the certificates in ${caFile} (caFile or TAILKEEP_CA) cannot be used: ${String(cause)}`,
      { code: "BAD_FIELD", retryable: false, grpcStatus: 3, cause },
    );
  }
}
