/**
 * Every bound of the client, with its reason. Relations between them are asserted when the module loads, so that a
 * changed number that breaks another one fails at start and not under load.
 */

/** Largest sequence number and integer that a JavaScript number, and therefore this API, carries exactly. */
export const SEQ_MAX = Number.MAX_SAFE_INTEGER;

/** Hard limit of a RecordBatch on the wire (ingest.proto). */
export const BATCH_BYTES_MAX = 1024 * 1024;

/** Hard limit of entries in a RecordBatch (ingest.proto). */
export const BATCH_ENTRIES_MAX = 4096;

/** Entries after which a batch is sent. Cost per record falls until about 128 and is flat to 512. */
export const FLUSH_RECORDS_DEFAULT = 256;

/** Bytes after which a batch is sent: half the hard limit, so that a large record still fits behind smaller ones. */
export const FLUSH_BYTES_DEFAULT = 512 * 1024;

/** How long the first record of a batch waits for company while earlier batches are in flight. */
export const FLUSH_DELAY_MS_DEFAULT = 2;

/** Room that a batch keeps in front of its entries for the envelope: two tags, a length, a tag, a number (14 bytes). */
export const ENVELOPE_BYTES_MAX = 16;

/** Largest encoded entry: one must fit into a batch of its own, envelope included. */
export const ENTRY_BYTES_MAX = BATCH_BYTES_MAX - ENVELOPE_BYTES_MAX;

/** First size of the buffer that records are encoded into: one batch of 256 small records. */
export const ENCODE_BUFFER_BYTES_INITIAL = 64 * 1024;

/** The encode buffer shrinks back after a batch above this, so that one large record is not paid for ever. */
export const ENCODE_BUFFER_BYTES_KEPT = 1024 * 1024;

/** JSON above this is written by the runtime: for much text its one call is the faster way. */
export const SMALL_JSON_BYTES_MAX = 2_048;

/** Values within values that small JSON may have; what is a cycle ends here. */
export const SMALL_JSON_DEPTH_MAX = 8;

/** Entries appended and not yet acked, by default: a second of a busy trainer. */
export const QUEUE_RECORDS_MAX_DEFAULT = 131_072;

/** Their bytes. Enough for a window of 4 MB at 40 ms round trip and 200 ms of commits, small beside a trainer. */
export const QUEUE_BYTES_MAX_DEFAULT = 32 * 1024 * 1024;

/** Waiters for room are woken below this share of the queue: half keeps the wire busy while they refill it. */
export const QUEUE_LOW_WATER_SHARE = 0.5;

/** Numbers one gap may stand for (records.proto). */
export const GAP_COUNT_MAX = 1_000_000_000;

/** Longest id in characters (records.proto). */
export const ID_LENGTH_MAX = 128;

/** Longest text of a column that is no JSON, in characters (records.proto). */
export const COLUMN_TEXT_LENGTH_MAX = 128;

/** Messages the client accepts: a page of records is at most 2 MiB of bodies plus framing. */
export const RECEIVE_MESSAGE_BYTES_MAX = 8 * 1024 * 1024;

/** Messages the client sends: one batch, one document of 1 MiB, and their framing. */
export const SEND_MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * What grpc-js may hold of a call to send it again if the server never saw it, which it does even with retries off. With its
 * default of 1 MB `write` accepts thousands of small messages at once, which hides flow control, and each costs a copy of
 * that queue: measured 75 us a message instead of 13. This is enough for most single questions.
 */
export const RETRY_BUFFER_BYTES_MAX = 16 * 1024;

/** HTTP/2 receive window: 64 KB would cap reading at 1.5 MB/s over a 40 ms round trip. */
export const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;

/** A dead connection is noticed after this silence plus the timeout below; grpc servers tolerate pings from 10 s on. */
export const KEEPALIVE_TIME_MS = 20_000;

/** How long a ping may stay unanswered. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;

/** First and last ceiling of the random wait before a call is made again. */
export const BACKOFF_CEILING_MS_FIRST = 100;
/** See above. A longer wait helps no server that sheds load by `tailkeep-retry-after-ms` anyway. */
export const BACKOFF_CEILING_MS_LAST = 10_000;

/**
 * Streams that waited for the network are reopened within this time of its return: a server that is up again in a second
 * must not stay unused for the ten that the wait may have grown to. Spread, as many streams may share a connection.
 */
export const RECONNECTED_SPREAD_MS = 250;

/** The channel's own wait between connection attempts must never dominate ours (grpc-js would go from 1 s to 120 s). */
export const CONNECT_BACKOFF_MS_FIRST = 100;
/** See above. */
export const CONNECT_BACKOFF_MS_LAST = 1_000;

/** Attempts to reopen streams that one process may make at once, and then in a second: a busy process has a few dozen. */
export const RETRIES_BURST_MAX = 32;
/** See above. */
export const RETRIES_PER_SECOND_MAX = 16;

/** From starting a call to StreamOpened: grpc-js has no timeout of its own for a connection attempt. */
export const OPEN_TIMEOUT_MS_DEFAULT = 10_000;

/** A recorder's stream that was refused for a reason that somebody may mend (a wrong key) is tried again after this. */
export const STREAM_REST_MS = 30_000;

/** An idle stream half-closes its call after this, so that it never keeps the process alive. */
export const IDLE_CLOSE_MS_DEFAULT = 1_000;

/** Deadline of calls, of flush and of close unless said otherwise. */
export const CALL_TIMEOUT_MS_DEFAULT = 10_000;

/** How often the file of an API key is read at most: calls come by the thousand, a new key once in months. */
export const KEY_FILE_READ_MS_MIN = 1_000;

/** Attempts of a read that finds the server unavailable, the first included. */
export const READ_ATTEMPTS_MAX = 4;

/** A twin with our identity supersedes us at most this often before we give the stream up. */
export const SUPERSEDED_MAX = 3;

/** A call that lived this long was no fight with a twin. */
export const SUPERSEDED_FORGET_MS = 60_000;

/** Events a watch holds for a slow consumer before it stops reading the socket. */
export const WATCH_QUEUE_EVENTS_MAX = 256;

/** A watch hears something every few seconds; after this silence it is made again. */
export const WATCH_SILENCE_MS_MAX = 30_000;

/** Newest records that a snapshot may hold (history.proto). */
export const SNAPSHOT_RECORDS_MAX = 1_000;

/** Streams that a watch cursor may name (history.proto). */
export const CURSOR_STREAMS_MAX = 1_024;

/** Unacked bytes of all streams of a recorder, by default: seconds of a busy trainer, small beside it. */
export const RECORDER_BYTES_MAX_DEFAULT = 32 * 1024 * 1024;

/** Least that a recorder can work with: a few largest batches. */
export const RECORDER_BYTES_MIN = 8 * BATCH_BYTES_MAX;

/** How long the oldest unacked record may wait before spilling begins: longer than a hiccup, shorter than patience. */
export const SPILL_AFTER_MS_DEFAULT = 1_000;

/** Disk that one process may fill while the server is away: some ten million small records. */
export const SPILL_BYTES_MAX_DEFAULT = 1024 * 1024 * 1024;

/** Disk that is left to others: checkpoints matter more than telemetry. */
export const SPILL_FREE_BYTES_MIN_DEFAULT = 256 * 1024 * 1024;

/** A crash of the machine may cost what was spilled in this time; each sync costs a disk a few milliseconds. */
export const SPILL_SYNC_MS_DEFAULT = 200;

/** A segment of a spill log: the least that is deleted at once, and what is at stake in one damaged file. */
export const SPILL_SEGMENT_BYTES_MAX = 16 * 1024 * 1024;

/** One write to a spill file. Its checksum is computed on the event loop: 0.1 ms, or 0.8 where Node has none of its own. */
export const SPILL_WRITE_BYTES_MAX = 256 * 1024;

/** Batches in one write to a spill file: each costs a microsecond, and two of the 1,024 buffers that a system call takes. */
export const SPILL_WRITE_BATCHES_MAX = 128;

/** Batches that are written but not yet synced and still in memory, of one log: what a failed sync rewrites at no cost. */
export const SPILL_HELD_BYTES_MAX = 8 * 1024 * 1024;

/** One read of a spill file. */
export const SPILL_READ_BYTES = 256 * 1024;

/** Parsing spill files hands the event loop back after this. */
export const SPILL_SLICE_MS = 0.5;

/** Free disk space is asked for again after this time or this many spilled bytes. */
export const SPILL_DISK_CHECK_MS = 1_000;
/** See above: a quarter of the space that is left to others by default. */
export const SPILL_DISK_CHECK_BYTES = 64 * 1024 * 1024;

/** First and last wait before a disk that failed is tried again; each try costs a file. */
export const SPILL_RETRY_MS_FIRST = 1_000;
/** See above. */
export const SPILL_RETRY_MS_LAST = 30_000;

/** How long the owner of a spill folder may take to accept a connection before it counts as alive anyway. */
export const SPILL_OWNER_ANSWER_MS = 1_000;

/** A spill folder that was never finished is cleaned away after this: making one takes a millisecond. */
export const SPILL_UNFINISHED_MS_MIN = 60_000;

/** What a stream that replays reads ahead of its acks: enough for the wire, little beside the budget. */
export const SPILL_READ_AHEAD_BYTES = 4 * 1024 * 1024;

/**
 * A call that takes records and acks none for so long is hung up and made again: an open call keeps the process alive, and
 * a trainer must be able to end before a server that is frozen. A commit that a database delays costs one more open.
 */
export const ACK_SILENCE_MS_MAX = 10_000;

/** A log that was full is asked again after this. */
export const SPILL_FULL_RETRY_MS = 1_000;

/** Streams of dead processes that are replayed at the same time. */
export const REPLAYS_MAX = 4;

/** Items of a container that is told nothing else: what the earlier system kept. */
export const CONTAINER_CAPACITY_DEFAULT = 100;

/** Most items of a container: what one Map of V8 can hold. More than that is not bounded memory any more. */
export const CONTAINER_CAPACITY_MAX = 16_777_216;

/** A list of at most so many items holds them in a ring, whose slots (128 KB) are taken when it is made. */
export const LIST_RING_SLOTS_MAX = 16_384;

/** Slots of one piece of a larger list, a power of two: 32 KB, below the size from which V8 puts arrays aside. */
export const LIST_PIECE_SLOTS = 4_096;

/** Values that the estimate of an item's bytes looks at: some ten microseconds for the largest item. */
export const SIZE_ESTIMATE_VALUES_MAX = 1_000;

/** A dictionary of at most so many keys finds them by a Map, which V8 copies now and then in two milliseconds. */
export const DICT_ONE_MAP_KEYS_MAX = 65_535;

/** Cells of a larger one's hash table that are looked at for a key: half of them are free, so few keys need more than ten. */
export const DICT_PROBES_MAX = 64;

/** Of these, cells of keys that have the same hash and are others: each is a comparison of texts. */
export const DICT_SAME_HASH_MAX = 2;

/** Uses of a dictionary between two steps of a loop over it, after which the loop is taken as abandoned. */
export const ITERATION_USES_MAX = 10_000;

/** The same where `next` is called by hand: who asks for the oldest key does not go on. */
export const ITERATION_USES_MAX_BY_HAND = 16;

/** Names of containers that metrics tell apart: each costs four series. */
export const CONTAINER_NAMES_MAX = 200;

/** How often a recorder looks for what processes beside it left behind. */
export const ADOPT_EVERY_MS = 60_000;

/** How long a process that ends by itself, or by SIGTERM, may wait for its records to become durable. */
export const EXIT_FLUSH_MS_DEFAULT = 5_000;

/** After this long without an answer an ending process spills what it has instead of waiting for the server. */
export const EXIT_PATIENCE_MS = 1_000;

/** Streams that a recorder keeps although nothing is pending in them; beyond it the idle ones are closed. */
export const LANES_IDLE_MAX = 64;

/** The wall clock is compared with the monotonic one this often. */
export const EVENT_CLOCK_CHECK_MS = 5_000;

/** Beyond this difference the wall clock is believed: it was set, or the machine slept. */
export const EVENT_CLOCK_SKEW_MS_MAX = 1_000;

/** Longest name of a state document in characters (state.proto). */
export const STATE_NAME_LENGTH_MAX = 256;

/** Largest state document as JSON text (state.proto). */
export const STATE_VALUE_BYTES_MAX = 1024 * 1024;

/** Deepest nesting of a state document (state.proto). */
export const STATE_VALUE_DEPTH_MAX = 64;

/** How long one call of a state store may wait for the server before it turns to its folder: longer than a slow commit. */
export const STATE_PATIENCE_MS_DEFAULT = 2_000;

/** The same for a question whether the server is back; also what such a question can delay a process's end by. */
export const STATE_PROBE_TIMEOUT_MS = 1_000;

/** How long a closing state store goes on writing to the database; the rest waits in files. */
export const STATE_CLOSE_MS_DEFAULT = 2_000;

/** Time for one document to be reconciled in the background. */
export const STATE_RECONCILE_TIMEOUT_MS = 10_000;

/** Documents that are reconciled at the same time: hides the round trip, and leaves the server to the trainers. */
export const STATE_RECONCILES_MAX = 4;

/** Compare-and-set attempts of one call while others write the same document; waits between them grow. */
export const STATE_ATTEMPTS_MAX = 32;
/** Ceiling of the first random wait between them. */
export const STATE_ATTEMPT_WAIT_MS_FIRST = 2;
/** Ceiling of the last. */
export const STATE_ATTEMPT_WAIT_MS_LAST = 50;

/** Documents whose version a state store remembers, which saves a read before a write. */
export const STATE_SEEN_DOCUMENTS_MAX = 1_000;

/** Values up to this many characters are remembered with it: counters, mostly. */
export const STATE_SEEN_TEXT_LENGTH_MAX = 4_096;

/** Documents that may wait for the server, in memory and on disk. */
export const STATE_PENDING_DOCUMENTS_MAX = 10_000;

/** Their bytes, as JSON text. */
export const STATE_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Copies of the database's documents in the folder; the oldest tenth goes beyond that. */
export const STATE_CACHED_DOCUMENTS_MAX = 10_000;

/** Losing sides of conflicts in the folder; the oldest tenth goes beyond that. */
export const STATE_CONFLICT_FILES_MAX = 1_000;

/** Writers whose last increment a document remembers: about 40 bytes each. */
export const STATE_MARKER_WRITERS_MAX = 64;

/** How often a process shows that it still owns its pending files, where others cannot see whether it lives. */
export const STATE_OWNER_BEAT_MS = 10_000;

/** An owner that others cannot see counts as dead after this silence. */
export const STATE_OWNER_SILENCE_MS = 60_000;

/** How often a state store looks for pending files of dead processes. */
export const STATE_ADOPT_EVERY_MS = 30_000;

/** Longest file name made of a document's name alone: with two ids and an ending it stays below the usual 255 bytes. */
export const STATE_FILE_STEM_LENGTH_MAX = 160;

/** Calls of `periodicCleanup` for an object between two cleanups, by default: what the earlier fixer did. */
export const GUARD_OPERATIONS_DEFAULT = 100;

/** How often a memory guard cleans what it watches, and takes a sample of it. */
export const GUARD_EVERY_MS_DEFAULT = 10_000;

/** Samples in a window. Its least value counts, so that neither a burst nor a sawtooth looks like growth. */
export const GUARD_WINDOW_SAMPLES_DEFAULT = 6;

/** Windows that must each end higher than the one before for a container to be called leaking: five minutes. */
export const GUARD_LEAK_WINDOWS_DEFAULT = 5;

/** Windows without growth after which it is not called leaking any more. */
export const GUARD_CALM_WINDOWS = 2;

/** A container must have grown by this many items to be called leaking. */
export const GUARD_LEAK_ITEMS_MIN = 100;

/** The heap must have grown by this many bytes. */
export const GUARD_LEAK_HEAP_BYTES_MIN = 8 * 1024 * 1024;

/** Items of a container that has no limit of its own, where all containers of an object are to be bounded. */
export const GUARD_ITEMS_MAX_DEFAULT = 1_000;

/** Dictionaries among them: the earlier central configuration's limit. */
export const GUARD_DICT_ITEMS_MAX_DEFAULT = 500;

/** Objects that one guard watches. */
export const GUARD_OBJECTS_MAX = 1_000;

/** Containers that are followed in one object, and how deep they may lie. */
export const GUARD_CONTAINERS_MAX = 200;
/** See above. */
export const GUARD_DEPTH_MAX = 3;

/** Objects that are looked into in search of them, at each sample. */
export const GUARD_VISITS_MAX = 2_000;

/** Counting the keys of an object that takes no longer is done at each sample. */
export const GUARD_COUNTING_MS_FREE = 1;

/** Share of the time that counting the keys of a larger one may take. */
export const GUARD_COUNTING_SHARE_MAX = 0.005;

/** Items that are looked at for an estimate of a container's bytes. */
export const GUARD_ESTIMATE_ITEMS = 32;

/** Values that are looked at within each of them. */
export const GUARD_ESTIMATE_VALUES_MAX = 500;

/** How often the central limits are asked for: a changed one resizes lists within a few seconds. */
export const LIMITS_POLL_MS = 2_000;

/** The same while the server is away: it is back for most reasons within half a minute. */
export const LIMITS_POLL_MS_MAX = 30_000;

/** One such question: longer it would keep a process from ending that has nothing else to do. */
export const LIMITS_TIMEOUT_MS = 1_000;

function assertLimit(holds: boolean, relation: string): void {
  if (!holds) throw new Error(`limits.ts is inconsistent: ${relation}`);
}

assertLimit(2 * SMALL_JSON_BYTES_MAX <= ENCODE_BUFFER_BYTES_INITIAL, "small JSON does not make the buffer grow");
assertLimit(SMALL_JSON_BYTES_MAX < 2 ** 14, "the length of small JSON takes two bytes at most");
assertLimit(FLUSH_BYTES_DEFAULT <= BATCH_BYTES_MAX / 2, "a flushed batch and one more small batch fit the hard limit");
assertLimit(FLUSH_RECORDS_DEFAULT <= BATCH_ENTRIES_MAX, "a flushed batch has at most the entries of a batch");
assertLimit(ENTRY_BYTES_MAX + ENVELOPE_BYTES_MAX <= BATCH_BYTES_MAX, "the largest entry fits a batch of its own");
assertLimit(BATCH_BYTES_MAX < SEND_MESSAGE_BYTES_MAX, "a batch fits a message");
assertLimit(QUEUE_BYTES_MAX_DEFAULT >= 4 * BATCH_BYTES_MAX, "the queue holds several largest batches");
assertLimit(QUEUE_RECORDS_MAX_DEFAULT >= 4 * BATCH_ENTRIES_MAX, "the queue holds several largest batches");
assertLimit(BACKOFF_CEILING_MS_FIRST < BACKOFF_CEILING_MS_LAST, "the wait grows");
assertLimit(RECONNECTED_SPREAD_MS <= CONNECT_BACKOFF_MS_LAST, "the network's return shortens waits");
assertLimit(CONNECT_BACKOFF_MS_LAST <= BACKOFF_CEILING_MS_LAST, "the channel waits less than the stream");
assertLimit(SPILL_READ_AHEAD_BYTES <= RECORDER_BYTES_MIN / 2, "reading ahead stays below the high-water mark");
assertLimit(STATE_OWNER_SILENCE_MS >= 3 * STATE_OWNER_BEAT_MS, "one lost beat does not make an owner dead");
assertLimit(STATE_VALUE_BYTES_MAX < SEND_MESSAGE_BYTES_MAX, "a document fits a message");
assertLimit(STATE_PENDING_BYTES_MAX >= 4 * STATE_VALUE_BYTES_MAX, "several largest documents may wait");
assertLimit(STATE_PROBE_TIMEOUT_MS <= STATE_PATIENCE_MS_DEFAULT, "a question is more impatient than a call");
assertLimit(SPILL_WRITE_BYTES_MAX + BATCH_BYTES_MAX <= SPILL_SEGMENT_BYTES_MAX, "a segment takes every single batch");
assertLimit(SPILL_DISK_CHECK_BYTES < SPILL_FREE_BYTES_MIN_DEFAULT, "free disk is checked before it can run out");
assertLimit(CONTAINER_CAPACITY_DEFAULT <= CONTAINER_CAPACITY_MAX, "what is made without a capacity can be made");
assertLimit((LIST_PIECE_SLOTS & (LIST_PIECE_SLOTS - 1)) === 0, "the piece of a place is found by a shift");
