import { readFileSync } from "node:fs";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";
import { InvalidArgumentError } from "./errors/errors.js";
import { CALL_TIMEOUT_MS_DEFAULT } from "./limits.js";
import { id } from "./records/id.js";
import { ApiKeySource } from "./transport/api-key.js";

/** How to reach the server. Everything has a default. */
export interface ConnectOptions {
  /** Address as `host:port`, `https://host:port` (with TLS), or any grpc target. @default env TAILKEEP_SERVER, else "127.0.0.1:50051" */
  readonly server?: string | undefined;
  /** Session of streams that name none, 1 to 128 characters. @default env TAILKEEP_SESSION, else "unknown" */
  readonly sessionId?: string | undefined;
  /** Deadline of every call that gives none, in milliseconds. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Sent with every call as `authorization: Bearer ...`. @default env TAILKEEP_API_KEY, else none */
  readonly apiKey?: string | undefined;
  /** File with the key instead; read again when it changes, so that a rotated key needs no restart. @default env TAILKEEP_API_KEY_FILE, else none */
  readonly apiKeyFile?: string | undefined;
  /** TLS with the machine's own authorities. Once asked for, in any way, there is no falling back. @default env TAILKEEP_TLS, else false */
  readonly tls?: boolean | undefined;
  /** Certificates (PEM file) that the server's must be signed by; switches TLS on. @default env TAILKEEP_CA, else none */
  readonly caFile?: string | undefined;
  /** Certificate (PEM file) of this client, for servers that ask for one; switches TLS on. @default env TAILKEEP_CLIENT_CERT, else none */
  readonly clientCertFile?: string | undefined;
  /** Its private key (PEM file). @default env TAILKEEP_CLIENT_KEY, else none */
  readonly clientKeyFile?: string | undefined;
  /** TLS in any other form. @default by the options above, else plain text */
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
  /** Where the key is from; what is printed of it does not show it. */
  readonly apiKey: ApiKeySource | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly channelOptions: ChannelOptions;
}

/** Reads the environment, once. */
export function resolveConnectOptions(
  options: ConnectOptions = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedConnectOptions {
  // What a program names itself goes before the environment, whichever of the two forms it is.
  const isOwn = options.apiKey !== undefined || options.apiKeyFile !== undefined;
  const apiKeyFile = isOwn ? options.apiKeyFile : env["TAILKEEP_API_KEY_FILE"] || undefined;
  const apiKey =
    options.apiKey ?? (isOwn || apiKeyFile !== undefined ? undefined : env["TAILKEEP_API_KEY"] || undefined);
  if (apiKey !== undefined && apiKeyFile !== undefined)
    throw bad("apiKey and apiKeyFile are both set; set one of them");
  const target = options.server ?? (env["TAILKEEP_SERVER"] || "127.0.0.1:50051");
  const files = {
    caFile: options.caFile ?? (env["TAILKEEP_CA"] || undefined),
    certFile: options.clientCertFile ?? (env["TAILKEEP_CLIENT_CERT"] || undefined),
    keyFile: options.clientKeyFile ?? (env["TAILKEEP_CLIENT_KEY"] || undefined),
  };
  const isHttps = /^https:\/\//i.test(target);
  const isAsked = options.tls ?? flag(env, "TAILKEEP_TLS", false);
  if (options.tls === false && isHttps) throw bad(`tls is false, and ${target} asks for TLS; leave one of them away`);
  const withTls = isAsked || isHttps || Object.values(files).some((file) => file !== undefined);
  return Object.freeze({
    server: isHttps ? target.slice("https://".length).replace(/\/$/, "") : target,
    sessionId: id(options.sessionId ?? (env["TAILKEEP_SESSION"] || "unknown"), "sessionId"),
    timeoutMs: options.timeoutMs ?? CALL_TIMEOUT_MS_DEFAULT,
    credentials: options.credentials ?? (withTls ? tls(files) : undefined),
    apiKey:
      apiKeyFile !== undefined
        ? ApiKeySource.ofFile(apiKeyFile)
        : apiKey === undefined
          ? undefined
          : ApiKeySource.ofText(apiKey),
    metadata: Object.freeze({ ...options.metadata }),
    channelOptions: Object.freeze({ ...options.channelOptions }),
  });
}

function bad(message: string, cause?: unknown): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: "BAD_FIELD", retryable: false, grpcStatus: 3, cause });
}

/** A variable that is true or false. Throws InvalidArgumentError for what is neither. */
export function flag(env: Readonly<Record<string, string | undefined>>, name: string, fallback: boolean): boolean {
  const text = env[name] ?? "";
  if (text === "") return fallback;
  if (["0", "false", "no", "off"].includes(text)) return false;
  if (["1", "true", "yes", "on"].includes(text)) return true;
  throw bad(`${name}: "${text}" is neither true nor false`);
}

interface TlsFiles {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** Never falls back to plain text: a file that cannot be used is an error at once. */
function tls({ caFile, certFile, keyFile }: TlsFiles): ChannelCredentials {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw bad("clientCertFile and clientKeyFile (TAILKEEP_CLIENT_CERT, TAILKEEP_CLIENT_KEY) belong together; set both");
  }
  const read = (file: string | undefined) => (file === undefined ? null : readFileSync(file));
  try {
    return credentials.createSsl(read(caFile), read(keyFile), read(certFile));
  } catch (cause) {
    const files = [caFile, certFile, keyFile].filter((file) => file !== undefined).join(", ");
    throw bad(
      `the certificates in ${files} (caFile or TAILKEEP_CA, or the client's own) cannot be used: ${String(cause)}`,
      cause,
    );
  }
}
