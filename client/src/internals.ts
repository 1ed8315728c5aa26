/**
 * Seams for a simulator, a recorder and a spill log. Not covered by the promises of the public API: these may change in any
 * version.
 */

export { type Clock, systemClock } from "./clock.js";
export { EncodedBatch } from "./encode/encoded-batch.js";
export { jsonText } from "./encode/json-text.js";
export { OpenBatch } from "./encode/open-batch.js";
export { type CallStatus, errorFromStatus } from "./errors/from-status.js";
export { resolveStreamOptions } from "./ingest/stream-options.js";
export * as limits from "./limits.js";
export type { StreamMachineConfig, StreamObserver, StreamPort, StreamTimer } from "./protocol/stream-driver.js";
export { StreamMachine } from "./protocol/stream-machine.js";
export { Backoff } from "./transport/backoff.js";
export { Channel, type ChannelSettings } from "./transport/channel.js";
export { GrpcIngestTransport } from "./transport/grpc-ingest-transport.js";
export type { IngestCall, IngestCallHandlers, IngestTransport, OpenRequest } from "./transport/ingest-transport.js";
