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

/** From starting a call to StreamOpened: grpc-js has no timeout of its own for a connection attempt. */
export const OPEN_TIMEOUT_MS_DEFAULT = 10_000;

/** An idle stream half-closes its call after this, so that it never keeps the process alive. */
export const IDLE_CLOSE_MS_DEFAULT = 1_000;

/** Deadline of calls, of flush and of close unless said otherwise. */
export const CALL_TIMEOUT_MS_DEFAULT = 10_000;

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

function assertLimit(holds: boolean, relation: string): void {
  if (!holds) throw new Error(`limits.ts is inconsistent: ${relation}`);
}

assertLimit(FLUSH_BYTES_DEFAULT <= BATCH_BYTES_MAX / 2, "a flushed batch and one more small batch fit the hard limit");
assertLimit(FLUSH_RECORDS_DEFAULT <= BATCH_ENTRIES_MAX, "a flushed batch has at most the entries of a batch");
assertLimit(ENTRY_BYTES_MAX + ENVELOPE_BYTES_MAX <= BATCH_BYTES_MAX, "the largest entry fits a batch of its own");
assertLimit(BATCH_BYTES_MAX < SEND_MESSAGE_BYTES_MAX, "a batch fits a message");
assertLimit(QUEUE_BYTES_MAX_DEFAULT >= 4 * BATCH_BYTES_MAX, "the queue holds several largest batches");
assertLimit(QUEUE_RECORDS_MAX_DEFAULT >= 4 * BATCH_ENTRIES_MAX, "the queue holds several largest batches");
assertLimit(BACKOFF_CEILING_MS_FIRST < BACKOFF_CEILING_MS_LAST, "the wait grows");
assertLimit(RECONNECTED_SPREAD_MS <= CONNECT_BACKOFF_MS_LAST, "the network's return shortens waits");
assertLimit(CONNECT_BACKOFF_MS_LAST <= BACKOFF_CEILING_MS_LAST, "the channel waits less than the stream");
