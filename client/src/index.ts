/**
 * The SDK of Tailkeep: bounded containers whose every write reaches the database, and a typed client for everything else.
 *
 * ```ts
 * import { DatabaseBoundedList } from "@tailkeep/client";
 *
 * const scores = new DatabaseBoundedList("score_history", { gameId: "ls20" });
 * scores.append({ score: 12 });
 * for await (const item of scores.history({ limit: 1000 })) console.log(item);
 * ```
 */

export { connect, TailkeepClient } from "./client.js";
export {
  BoundedDict,
  type BoundedDictOptions,
  BoundedList,
  type BoundedListOptions,
  BoundedRing,
  type BoundedRingOptions,
  type BoundsOptions,
  estimateBytes,
} from "./containers/index.js";
export * from "./errors/errors.js";
export { type AppendOutcome, IngestStream, type StreamLedger } from "./ingest/ingest-stream.js";
export type { ResolvedStreamOptions, StreamOptions } from "./ingest/stream-options.js";
export type { WaitOptions } from "./ingest/waiters.js";
export type { WriteRecordsInput, WriteRecordsResult } from "./ingest/write-records.js";
export type * from "./items/item-types.js";
export type {
  ActionLimits,
  CentralConfig,
  MemoryLimits,
  SettingName,
  SettingSource,
} from "./limits-feed/central-config.js";
export { SETTING_NAMES } from "./limits-feed/central-config.js";
export type { Limits } from "./limits-feed/limits.js";
export { type CleanupOptions, cleanupOldData } from "./memory-guard/age.js";
export {
  type AppliedFixes,
  type ApplyFixesOptions,
  applyMemoryLeakFixes,
  type ReplacedAttribute,
  type SkippedAttribute,
} from "./memory-guard/apply-fixes.js";
export { boundDict, boundList, boundSet } from "./memory-guard/bound.js";
export type { AttributeChoice, CleanedAttribute, CleanupChoice } from "./memory-guard/cleanup.js";
export type { ContainerKind } from "./memory-guard/kinds.js";
export { type AttributeLimits, KNOWN_LIMITS, type LimitTable } from "./memory-guard/known-attributes.js";
export type { ContainerReport, HeapReport, LeakEvent, MemoryReport } from "./memory-guard/leak-report.js";
export { MemoryGuard, type WatchObjectOptions } from "./memory-guard/memory-guard.js";
export { type MemoryUsage, monitorMemoryUsage } from "./memory-guard/memory-usage.js";
export type { MemoryGuardOptions, ResolvedMemoryGuardOptions } from "./memory-guard/options.js";
export { type Metric, metricsOf, metricsText, type Sample } from "./metrics/samples.js";
export {
  type ContainerReading,
  type MeasuredContainer,
  readContainers,
  trackContainer,
} from "./metrics/tracked-containers.js";
export type { ConnectOptions, ResolvedConnectOptions } from "./options.js";
export type { StreamRejection } from "./protocol/stream-driver.js";
export type { StreamState, StreamStateName } from "./protocol/stream-state.js";
export type { AdminClient, AdminListQuestion, DeadLetter, ExpiredRows, LedgerLine, Retention } from "./query/admin.js";
export type { ConfigClient, ConfigHistoryQuestion } from "./query/config.js";
export type { ConfigChange, ConfigRollBack, ConfigUpdate } from "./query/config-change.js";
export type {
  HistoryClient,
  ListRecordsQuestion,
  ListSessionsQuestion,
  SessionChange,
  SessionInfo,
  Statistics,
  TailRecordsQuestion,
} from "./query/history.js";
export type { ApiKey, KeyLimits, KeyRoleName, KeysClient, KeyWithSecret, NewKey } from "./query/keys.js";
export type { Listing, Page } from "./query/pages.js";
export type { SeriesAnswer, SeriesBucket, SeriesInfo, SeriesList, SeriesQuestion } from "./query/series.js";
export type {
  ExpectedVersion,
  ListStatesQuestion,
  StateClient,
  StateDocument,
  StateDocumentInfo,
  StateListItem,
} from "./query/state.js";
export type { RecordWatch, WatchCursor, WatchEvent, WatchOptions, WatchQuestion } from "./query/watch.js";
export type { CentralLimits } from "./recorder/central-limits.js";
export type { DropCause, Ledger } from "./recorder/ledger.js";
export { getDefaultRecorder, openRecorder, setDefaultRecorder } from "./recorder/open-recorder.js";
export type { OverflowPolicy, RecorderOptions, ResolvedRecorderOptions } from "./recorder/options.js";
export type { Problem } from "./recorder/problems.js";
export type { EndSignal } from "./recorder/process-end.js";
export type { LaneReading, Recorder, RecordOutcome } from "./recorder/recorder.js";
export type { ResolvedSpillOptions, SpillSettings } from "./recorder/spill-options.js";
export type { BindingOptions, ContainerWatchOptions } from "./recording/binding.js";
export {
  DatabaseBoundedDict,
  type DatabaseBoundedDictOptions,
  type DictEntry,
} from "./recording/database-bounded-dict.js";
export { DatabaseBoundedList, type DatabaseBoundedListOptions } from "./recording/database-bounded-list.js";
export type { HistoryOptions } from "./recording/read-history.js";
export type { RejectionReasonName, SessionStateName } from "./records/names.js";
export type { AckedRejection } from "./records/rejection.js";
export type { HistoryGap } from "./records/stored.js";
export type { StreamTotals } from "./records/totals.js";
export * from "./records/training-record.js";
export type { ConflictPolicy, MergeConflict, StateConflict } from "./state-store/conflict.js";
export type { ResolvedStateStoreOptions, StateStoreOptions } from "./state-store/options.js";
export type { LocalPlace } from "./state-store/pending-book.js";
export type { StatePlace } from "./state-store/places.js";
export type { StateProblem, StateProblemCode } from "./state-store/problems.js";
export type {
  StateCountResult,
  StateListEntry,
  StateReading,
  StateStoreReadings,
  StateUpdateResult,
  StateWriteResult,
} from "./state-store/results.js";
export { type DocumentOperations, StateHandle } from "./state-store/state-handle.js";
export { StateStore } from "./state-store/state-store.js";
export type { ApiKeySource } from "./transport/api-key.js";
export type { StreamInfo } from "./transport/ingest-transport.js";
export type { CallOptions } from "./transport/unary-call.js";
