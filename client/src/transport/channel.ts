/** The connection: one grpc-js channel for everything a client does. */

import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import {
  CONNECT_BACKOFF_MS_FIRST,
  CONNECT_BACKOFF_MS_LAST,
  FLOW_CONTROL_WINDOW_BYTES,
  KEEPALIVE_TIME_MS,
  KEEPALIVE_TIMEOUT_MS,
  RECEIVE_MESSAGE_BYTES_MAX,
  RETRY_BUFFER_BYTES_MAX,
  SEND_MESSAGE_BYTES_MAX,
} from "../limits.js";
import type { ApiKeySource } from "./api-key.js";

/** What a channel is made of. */
export interface ChannelSettings {
  readonly server: string;
  /** @default plain text */
  readonly credentials?: ChannelCredentials | undefined;
  /** Sent with every call as `authorization`. */
  readonly apiKey?: ApiKeySource | undefined;
  /** Sent with every call. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly channelOptions?: ChannelOptions | undefined;
}

const CHANNEL_OPTIONS: ChannelOptions = Object.freeze({
  // Retries are made above, where it is known what may be repeated; the channel's would buffer every message twice.
  "grpc.enable_retries": 0,
  "grpc.per_rpc_retry_buffer_size": RETRY_BUFFER_BYTES_MAX,
  "grpc.enable_channelz": 0,
  "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
  "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
  "grpc.keepalive_permit_without_calls": 0,
  "grpc.initial_reconnect_backoff_ms": CONNECT_BACKOFF_MS_FIRST,
  "grpc.max_reconnect_backoff_ms": CONNECT_BACKOFF_MS_LAST,
  "grpc.dns_min_time_between_resolutions_ms": CONNECT_BACKOFF_MS_LAST,
  "grpc.max_receive_message_length": RECEIVE_MESSAGE_BYTES_MAX,
  "grpc.max_send_message_length": SEND_MESSAGE_BYTES_MAX,
  "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
  // A service config from DNS could switch retries back on.
  "grpc.service_config_disable_resolution": 1,
});

/** One connection to one server. */
export class Channel {
  readonly grpc: Client;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #apiKey: ApiKeySource | undefined;
  readonly #onConnected = new Set<() => void>();
  #watching = false;
  #closed = false;

  constructor(settings: ChannelSettings) {
    this.grpc = new Client(settings.server, settings.credentials ?? credentials.createInsecure(), {
      ...CHANNEL_OPTIONS,
      ...settings.channelOptions,
    });
    this.#metadata = settings.metadata ?? {};
    this.#apiKey = settings.apiKey;
  }

  /** Fresh metadata for one call. */
  metadata(): Metadata {
    const metadata = new Metadata();
    if (this.#apiKey !== undefined) metadata.set("authorization", `Bearer ${this.#apiKey.current}`);
    for (const [name, value] of Object.entries(this.#metadata)) metadata.set(name, value);
    return metadata;
  }

  /** Calls `listener` each time a connection has come up. Returns what removes it. */
  onConnected(listener: () => void): () => void {
    this.#onConnected.add(listener);
    if (!this.#watching && !this.#closed) this.#watch();
    return () => this.#onConnected.delete(listener);
  }

  close(): void {
    this.#closed = true;
    this.grpc.close();
  }

  /** Looks at every change of the channel's state, until one comes that nobody waits for. */
  #watch(): void {
    this.#watching = true;
    const channel = this.grpc.getChannel();
    channel.watchConnectivityState(channel.getConnectivityState(false), Number.POSITIVE_INFINITY, () => {
      this.#watching = false;
      if (this.#closed) return;
      if (channel.getConnectivityState(false) === connectivityState.READY) {
        // A copy: listeners remove themselves, and add others for the next time.
        const listeners = [...this.#onConnected];
        for (const listener of listeners) listener();
      }
      if (this.#onConnected.size > 0) this.#watch();
    });
  }
}
