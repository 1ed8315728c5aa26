/**
 * Every limit of the server, each with its reason. Nothing else in the server may hold a bound of its own.
 *
 * Limits that an operator may want to change are defaults here and settings in config/schema.ts; the others are fixed,
 * because clients rely on them. `assertLimits` checks at start that those that depend on each other agree.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** A session, stream, writer or game id in characters: fits VARCHAR(128) and an index key on every supported engine. */
export const ID_CHARS_MAX = 128;

/** Short free texts (status, action_type, score_type, frame_hash), in characters: the same column type as ids. */
export const SHORT_TEXT_CHARS_MAX = 128;

/** One JSON field in bytes of UTF-8: a large frame analysis; more belongs into a file. */
export const JSON_BYTES_MAX = 256 * KIB;

/** Nesting of JSON: MySQL's own JSON functions give up at 100. */
export const JSON_DEPTH_MAX = 64;

/** Sequence numbers, event times in microseconds, int64 columns: what JavaScript and Lua numbers hold exactly. */
export const SAFE_INTEGER_MAX = Number.MAX_SAFE_INTEGER;

/** Numbers one gap entry may stand for: weeks of frames; larger losses are declared as several. */
export const GAP_COUNT_MAX = 1_000_000_000;

/** Entries in a batch. 128 to 512 are fastest on the wire; more than this only adds latency. */
export const BATCH_ENTRIES_MAX = 4_096;

/** A batch in bytes, encoded: the largest unit that is charged, committed and retried at once. */
export const BATCH_BYTES_MAX = 1 * MIB;

/** A gRPC message in either direction. */
export const MESSAGE_BYTES_MAX = 4 * MIB;

/**
 * What a batch is charged before it is decoded, in times of its message: enough for records with five fields. Batches of
 * very small records cost more, and are charged the rest once they are decoded.
 */
export const DECODED_FACTOR = 4;

/** What a record of a batch costs in memory besides its bytes: its place in seven arrays, its values, its texts' heads. */
export const DECODED_ENTRY_BYTES = 160;

/**
 * Calls that may wait for memory, each holding its message and, where it is a stream, what its writer was allowed to send
 * after it: a largest batch. With the store away every stream waits soon; the others are refused, so that what hundreds of
 * streams may send regardless of the budget cannot add up.
 */
export const BUDGET_WAITERS_MAX = 128;

/** Memory for batches that are received and not yet committed, over all streams. */
export const INGEST_BYTES_MAX_DEFAULT = 192 * MIB;

/** What one stream may have unacked, where the budget allows it: keeps a group commit full at 100 ms of latency. */
export const STREAM_WINDOW_BYTES_MAX = 4 * MIB;

/**
 * What one stream may have unacked however many want the store: a few small batches, so that a commit finds the next one
 * there. A stream that has nothing unacked is given a largest batch all the same, after `CREDIT_AT_REST_MS`.
 */
export const STREAM_WINDOW_BYTES_MIN = 64 * KIB;

/** What a stream is given when it opens on a server that is behind: it will soon be told what its share is. */
export const STREAM_WINDOW_BYTES_OPENING = 256 * KIB;

/** How much may wait, as the time that the store takes for it: long enough for full transactions, short for an ack. */
export const QUEUE_MS_TARGET = 1_000;

/** How long the store's pace is watched before it counts: a few transactions. */
export const PACE_SAMPLE_MS = 250;

/** How long a stream with nothing unacked waits for credit for a largest batch, where its share is smaller. */
export const CREDIT_AT_REST_MS = 50;

/** Messages that grpc-js may read ahead of a stream that is paused; its own default is 16. */
export const READ_AHEAD_MESSAGES_MAX = 2;

/** Messages that grpc-js may hold for a watcher that does not read; its own default is 16. */
export const WATCH_AHEAD_MESSAGES_MAX = 1;

/** Open ingest calls of one server: 10,000 idle trainers and some room. */
export const OPEN_STREAMS_MAX = 12_000;

/** HTTP/2 streams on one connection: one connection with 10,000 calls took 700 MB, with 64 it takes 5. */
export const CONCURRENT_STREAMS_MAX = 64;

/** Connections of one server, ready or not: a trainer has one, and 10,000 idle ones cost about 600 MB of their own. */
export const CONNECTIONS_MAX_DEFAULT = 12_000;

/** Connections from one address. Behind a proxy all have one: 64 calls on each are still more than the server takes. */
export const CONNECTIONS_PER_ADDRESS_MAX_DEFAULT = 2_000;

/** How long a connection may be open before its first request: a slow handshake over a slow link takes two. */
export const FIRST_REQUEST_MS_MAX = 10_000;

/** A connection without a call for this long is closed; clients open another one when they need it. */
export const CONNECTION_IDLE_MS_MAX = 1_800_000;

/** After about a day a connection takes no new call, and an hour later its streams end; writers reopen and lose nothing. */
export const CONNECTION_AGE_MS_MAX = 86_400_000;
export const CONNECTION_AGE_GRACE_MS = 3_600_000;

/**
 * What a connection may cost the server without any use for it: pings, settings, calls of unknown methods, resets. A
 * burst, then so many a second; a client that measures its link sends 10 pings a second.
 */
export const NUISANCE_BURST_MAX = 500;
export const NUISANCES_PER_SECOND = 50;

/** Settings in one frame; HTTP/2 knows six. */
export const SETTINGS_ENTRIES_MAX = 16;

/** Frames that are wrong, and streams beyond the limit, before the connection is closed; Node allows 1,000 and 100. */
export const INVALID_FRAMES_MAX = 100;
export const REJECTED_STREAMS_MAX = 100;

/**
 * Parts of messages that are not complete, and messages that wait for their handler: of one connection before it has an
 * open stream, and what each open stream adds, its largest batch; and of all connections together.
 */
export const RECEIVING_BYTES_MAX = 8 * MIB;
export const RECEIVING_BYTES_PER_STREAM = 1 * MIB + 64 * KIB;
export const RECEIVING_BYTES_IN_ALL_MAX = 128 * MIB;

/** What a message that waits for its handler costs besides its bytes: grpc-js makes a promise and four objects for each. */
export const RECEIVING_MESSAGE_BYTES = 1_536;

/** What a piece of a message that is not complete costs besides its bytes, which may be one. */
export const RECEIVING_PIECE_BYTES = 160;

/** Answers that are not sent, because the other side does not read: of one connection, and of all together. */
export const UNSENT_BYTES_MAX = 12 * MIB;
export const UNSENT_BYTES_IN_ALL_MAX = 128 * MIB;

/** Answers of one connection that are made or sent at once; pages have 2 MiB, and more than this would not be faster. */
export const ANSWERS_AT_ONCE_MAX = 4;

/** A connection that has not taken a byte of what waits for it for this long reads no more. */
export const UNREAD_MS_MAX = 60_000;

/** What one connection may cost in all. */
export const CONNECTION_BYTES_MAX = 16 * MIB;

/** HTTP connections, in all and from one address: scrapers and browsers, which have six each. */
export const HTTP_CONNECTIONS_MAX = 256;
export const HTTP_CONNECTIONS_PER_ADDRESS_MAX = 128;

/** How long an HTTP request may take to arrive; all are a line and some headers. */
export const HTTP_REQUEST_MS_MAX = 10_000;

/** Requests on one HTTP connection: a scraper comes every 15 s, for four hours. */
export const HTTP_REQUESTS_PER_CONNECTION_MAX = 1_000;

/** Pages that hold an event stream open, in all and from one address: each takes one of the HTTP connections. */
export const EVENT_STREAMS_MAX = 128;
export const EVENT_STREAMS_PER_ADDRESS_MAX = 64;

/** A page that has not taken a byte of what waits for it for this long is cut off; it comes back by itself. */
export const EVENT_UNREAD_MS_MAX = 30_000;

/** How often open pages hear what the server is doing; the same line is their heartbeat. */
export const LIVE_INTERVAL_MS = 1_000;

/** The past that a newly opened page is shown: an hour in samples of five seconds, about 100 bytes each. */
export const LIVE_SAMPLE_INTERVAL_MS = 5_000;
export const LIVE_SAMPLES_MAX = 720;

/** Sessions whose newest commit is known without asking the store, least recently written first out; 200 bytes each. */
export const ACTIVITY_SESSIONS_MAX = 10_000;

/**
 * How often running sessions are looked at where other servers may write them, and what share of the time that may take:
 * on MariaDB ten thousand sessions of four streams each are summed up in 0.2 s.
 */
export const ACTIVITY_LOOK_MS = 2_000;
export const ACTIVITY_LOOK_SHARE = 0.02;

/** Sessions of which one page hears in one line; those written last come first. */
export const ACTIVITY_SHOWN_MAX = 200;

/** Body of a request to the JSON API: a name and 32 labels of the largest size. */
export const API_BODY_BYTES_MAX = 64 * KIB;

/** Sessions that one search looks at, newest first, and records of a game in which its sessions are looked for. */
export const SEARCH_SESSIONS_MAX = 10_000;
export const SEARCH_GAME_RECORDS_MAX = 5_000;

/** Newest records that a heat map and a timeline of frames are made of: exact over these, in ten reads of some 30 ms each. */
export const HEAT_MAP_RECORDS_MAX = 10_000;
export const TIMELINE_RECORDS_MAX = 10_000;

/** HTTP/2 receive window of a connection and of a stream; 64 KB would cap a stream at 1.5 MB/s over 40 ms. */
export const HTTP2_WINDOW_BYTES = 4 * MIB;

/** All headers of one call. */
export const HEADER_LIST_BYTES_MAX = 8 * KIB;

/** What an error says, in UTF-16 units: a header, where one unit may take 6 bytes, and all of an answer's fit the list. */
export const ERROR_MESSAGE_CHARS_MAX = 1_000;

/** Pairs of headers of one call. */
export const HEADER_PAIRS_MAX = 32;

/** A transaction closes when it has this many rows, gaps and dead letters: 20,000 is what Galera allows, and larger is not faster. */
export const GROUP_RECORDS_MAX = 8_192;

/** A transaction closes when its batches have this many bytes: stays below half of MySQL's default max_allowed_packet. */
export const GROUP_BYTES_MAX = 4 * MIB;

/** Streams in a transaction: locking 500 rows takes 9 to 14 ms, 1,200 take 26. */
export const GROUP_STREAMS_MAX = 500;

/** How long a batch may wait for company while another transaction is on its way; with none it never waits. */
export const GROUP_DELAY_MS_DEFAULT = 2;

/** Records that make a transaction worth its commit while another one is on its way. */
export const GROUP_RECORDS_WORTHWHILE = 1_024;

/** Transactions in flight on MySQL. Two keep one connection busy while another waits for the disk. */
export const MYSQL_LANES_DEFAULT = 2;

/** Transactions handed to SQLite at once: it has one writer; the second is ready when the first is done. */
export const SQLITE_LANES = 2;

/** Rows of one INSERT statement on MySQL. */
export const INSERT_ROWS_MAX = 2_000;

/** Text of one INSERT statement on MySQL in characters; where max_allowed_packet is small, a third of it in bytes. */
export const INSERT_CHARS_MAX = 3 * MIB;

/** Retry of a transaction: full jitter between 0 and this, doubling from the first to the last. Streams go on within two
 * seconds of the store's return; a store that is away is asked a few times a second. */
export const RETRY_DELAY_MS_FIRST = 10;
export const RETRY_DELAY_MS_MAX = 500;

/** How long a transaction waits for a row lock before it gives way. */
export const LOCK_WAIT_SECONDS = 1;

/** How long one statement may take before its connection is given up. A frozen database costs this, then a reconnect. */
export const STATEMENT_TIMEOUT_MS = 30_000;

/** Connecting to the database. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** Connections for reading, and queries that may wait for one. */
export const READ_CONNECTIONS_MAX = 4;
export const READ_QUEUE_MAX = 256;

/** How long a read may take on the store. */
export const READ_TIMEOUT_MS = 20_000;

/** SQLite: how long the writer waits for another process that holds the file's lock. */
export const SQLITE_BUSY_TIMEOUT_MS = 5_000;

/** Streams of one session: a trainer restarting every minute for a week. */
export const SESSION_STREAMS_MAX = 10_000;

/** Streams in a watch cursor; a session with more can be listed but not resumed. */
export const CURSOR_STREAMS_MAX = 1_024;

/** Rows deleted in one transaction: about 20 ms of the writer's time. */
export const DELETE_SLICE_ROWS = 2_000;

/** A deletion that nobody has gone on with for this long, many slices, is finished by maintenance: its server died. */
export const DELETION_ABANDONED_MS = 60_000;

/** Deletions finished by one run of maintenance; the next run has the rest. */
export const DELETIONS_RESUMED_MAX = 100;

/** Labels of a session. */
export const LABELS_MAX = 32;
export const LABEL_KEY_CHARS_MAX = 64;
export const LABEL_VALUE_CHARS_MAX = 256;
export const SESSION_NAME_CHARS_MAX = 256;
export const SESSION_CONFIG_BYTES_MAX = 256 * KIB;

/** Names and values of state documents. */
export const STATE_NAME_CHARS_MAX = 256;
export const STATE_BYTES_MAX = 1 * MIB;

/**
 * Requests with one answer that are being answered, state documents above all: while the store stands still they pile up,
 * each with its text and its SQL. Small ones are not refused, the turns of their connections bound them.
 */
export const REQUEST_BYTES_IN_ALL_MAX = 16 * MIB;
export const REQUEST_BYTES_SMALL = 4 * KIB;

/** Pages of listings. A page also ends where its payload passes PAGE_BYTES_MAX, so that it fits a message. */
export const PAGE_SIZE_DEFAULT = 100;
export const PAGE_SIZE_MAX = 1_000;
export const PAGE_BYTES_MAX = 2 * MIB;
export const SESSIONS_PAGE_SIZE_DEFAULT = 50;

/** Records in one TailRecords answer or one snapshot. */
export const TAIL_LIMIT_DEFAULT = 100;
export const TAIL_LIMIT_MAX = 1_000;

/** Records kept in memory for each session and type: the earlier system's memory limits. */
export const CACHE_RECORDS_DEFAULT = {
  performance_history: 100,
  session_history: 100,
  action_tracking: 1_000,
  score_history: 100,
  coordinate_tracking: 500,
  frame_tracking: 50,
} as const;

/** What else the central configuration says how much of to keep in a trainer's memory: the earlier system's values. */
export const DICTIONARY_KEYS_DEFAULT = 500;
export const GOVERNOR_DECISIONS_DEFAULT = 100;
export const ARCHITECT_EVOLUTIONS_DEFAULT = 100;

/** A memory limit: beyond this a cache would be no tail any more. */
export const MEMORY_LIMIT_MAX = 100_000;

/** Actions that a trainer may take: the earlier system's values. */
export const ACTION_LIMITS_DEFAULT = {
  perGame: 2_000,
  perSession: 5_000,
  perScorecard: 8_000,
  perEpisode: 1_500,
  scalingBase: 800,
  scalingMax: 3_000,
} as const;
export const ACTION_LIMIT_MAX = 10_000_000;

/** How often a server looks whether another one has changed the central configuration: one read of one row. */
export const CONFIG_POLL_MS = 1_000;

/** How often tailkeep.yaml is looked at: one read of a small file. A change counts when it was found twice. */
export const CONFIG_FILE_POLL_MS = 1_000;

/** Watchers of the central configuration at one server. */
export const CONFIG_WATCHERS_MAX = 1_000;

/** Who changed the central configuration, and why. */
export const CONFIG_AUTHOR_CHARS_MAX = 128;
export const CONFIG_COMMENT_CHARS_MAX = 1_024;

/** Sessions with a cache, least recently used first out. */
export const CACHE_SESSIONS_MAX_DEFAULT = 1_000;

/** Bytes of all caches. */
export const CACHE_BYTES_MAX_DEFAULT = 64 * MIB;

/** What a cached record costs besides its bytes. */
export const CACHE_RECORD_OVERHEAD_BYTES = 160;

/** Watchers of one server, and what each may have unsent before it is told what it missed. */
export const WATCHERS_MAX = 1_000;
export const WATCHER_QUEUE_BYTES_MAX = 1 * MIB;
export const WATCHER_QUEUE_EVENTS_MAX = 8_192;

/** Ranges a watcher may have missed before neighbouring ones of a stream are merged. */
export const WATCHER_MISSED_RANGES_MAX = 1_024;

/** How many records a resuming watcher is brought from the store in one read, and in all before the rest is Missed. */
export const CATCH_UP_PAGE = 500;
export const CATCH_UP_RECORDS_MAX = 100_000;

/** How often sessions that are watched here and written elsewhere are looked at. */
export const WATCH_POLL_MS = 500;

/** How often a quiet watcher hears that it is up to date. */
export const WATCH_HEARTBEAT_MS = 5_000;

/** Days that rows are kept, and the most that may be asked for. */
export const RETENTION_DAYS_DEFAULT = 30;
export const RETENTION_DAYS_MAX = 3_650;

/** Days that rollups of series are kept: about a hundredth of the records that they are of. */
export const ROLLUP_DAYS_DEFAULT = 365;

/** Day partitions that exist ahead of the newest expiry date, so that a week without maintenance needs none. */
export const PARTITIONS_AHEAD_DAYS = 7;

/** How often expired rows are looked for. They leave day by day; this is how soon after a day has begun. */
export const EXPIRY_INTERVAL_MS = 600_000;

/** A server that has just started lets its trainers come back first. */
export const EXPIRY_FIRST_MS = 30_000;

/** Clocks that differ by more days than this delete nothing: around midnight they differ by one. */
export const CLOCKS_APART_DAYS_MAX = 1;

/**
 * Days that the storing day catches up by itself: a long weekend without a server. Where it is further behind, a clock may
 * have gone mad as well, and everything could expire: an operator says which day it is.
 */
export const STORING_DAY_CATCH_UP_DAYS_MAX = 3;

/** Days for which MySQL gets partitions beyond those of the storing day, while that waits for an operator: a year. */
export const PARTITIONS_STAMPED_DAYS_MAX = 366;

/**
 * SQLite: rows that one transaction expires, each in five or six indexes, and pages of the file that it gives back. What
 * comes in waits for a slice, a few milliseconds.
 */
export const EXPIRY_SLICE_ROWS = 256;
export const EXPIRY_SLICE_PAGES = 64;

/** How many times as long as a slice worked the next one waits: while something else is to be written, and while not. */
export const EXPIRY_REST_BUSY = 24;
export const EXPIRY_REST_IDLE = 1;

/** Free pages of a SQLite file that stay, as a share of all: rows to come take them without making the file longer. */
export const FREE_PAGES_KEPT_SHARE = 0.2;

/** Sessions whose rows never expire: each is looked after in every run of expiry. */
export const PINNED_SESSIONS_MAX = 10_000;

/** Rows of pinned sessions are taken out of expiry's way this many days before it would come to them. */
export const PIN_AHEAD_DAYS = 2;

/** Runs of expiry that are remembered. */
export const EXPIRY_RUNS_KEPT = 100;

/** How often the lease holder looks after partitions and the storing day, and how long its lease lasts. */
export const MAINTENANCE_INTERVAL_MS = 60_000;
export const LEASE_MS = 180_000;

/** The lease of a migration, renewed with each statement: what others wait for after a server was killed in one. */
export const MIGRATION_LEASE_MS = 30_000;

/** One statement of a migration: making an index of a table of a billion rows. */
export const MIGRATION_STATEMENT_MS_MAX = 6 * 3_600_000;

/** Bodies of dead letters of one namespace, together; beyond it only range and reason are kept. */
export const DEAD_LETTER_BYTES_MAX_DEFAULT = 64 * MIB;

/** One body of a dead letter. */
export const DEAD_LETTER_BODY_BYTES_MAX = 512 * KIB;

/** How long last_seen_at may lag: one small write a session and minute instead of one a transaction. */
export const LAST_SEEN_MS = 60_000;

/** A session that nobody wrote for this long, and nobody ended, is lost: longer than any pause between two episodes. */
export const LOST_AFTER_MS = 900_000;

/** Shutting down: time to commit and ack what was accepted. */
export const SHUTDOWN_MS_DEFAULT = 10_000;

/** What a client that was refused for load is told to wait. */
export const OVERLOAD_RETRY_AFTER_MS = 1_000;

/** The same while the store of a server that was just started has not answered: that takes a part of a second mostly. */
export const STARTING_RETRY_AFTER_MS = 200;

/**
 * Stated cap on the server's resident memory at the default settings. It holds its parts below, Node itself with the heaps
 * of SQLite's threads, and the garbage of full rate; the paused-database test and the bench hold the server to it.
 */
export const RESIDENT_BYTES_MAX = 896 * MIB;

/** API keys that are live at once: every server keeps them in memory, about half a kilobyte each. */
export const KEYS_LIVE_MAX = 10_000;

/** Live keys read by a server: room for those that several servers made at the same time at the limit. */
export const KEYS_READ_MAX = 11_000;

/** How often a server looks whether another one changed a key: one small read. */
export const KEYS_POLL_MS = 1_000;

/** Who a key is for: the column's width. */
export const KEY_NAME_CHARS_MAX = 128;

/** What all users of a key may take together, unless it was made with less: beyond what one server does in all. */
export const KEY_STREAMS_DEFAULT = 10_000;
export const KEY_RECORDS_PER_SECOND_DEFAULT = 1_000_000;
export const KEY_BYTES_PER_SECOND_DEFAULT = 512 * MIB;

/** How long the secret before a rotation goes on: a day, so that nobody has to be up at night; and a month at most. */
export const ROTATION_GRACE_SECONDS_DEFAULT = 86_400;
export const ROTATION_GRACE_SECONDS_MAX = 30 * 86_400;

/** How often the files of certificates are looked at: well below the minutes in which a renewed one must be in use. */
export const TLS_FILES_POLL_MS = 2_000;

/** Records in an entry of the lowest level of a series' rollup: with 1,000 points at most 16,000 rows are read one by one. */
export const ROLLUP_ENTRY_RECORDS = 16;

/** Entries that one of the next level is made of, and entries of a node, which is stored as one row. */
export const ROLLUP_FAN_OUT = 16;
export const ROLLUP_NODE_ENTRIES = 64;

/** Levels of entries: the highest has 16^7 records in each, so that 16 billion are 60 of them. */
export const ROLLUP_LEVELS_MAX = 7;

/** Games of one type that a stream has series of their own for; those beyond are summed up together. */
export const ROLLUP_GAMES_MAX = 64;

/** Numeric keys of JSON columns that a session has series for, and how many of the others are named. */
export const SERIES_KEYS_MAX = 64;
export const SERIES_KEYS_LEFT_OUT_MAX = 64;

/** Length of such a key; longer ones have no series. */
export const SERIES_KEY_CHARS_MAX = 128;

/** Buckets of an answer: as many as a large screen has pixels. */
export const SERIES_POINTS_DEFAULT = 1_000;
export const SERIES_POINTS_MAX = 4_000;

/** What one question may read: nodes, records one by one (about 150 ms), and ranges of those. */
export const SERIES_NODES_READ_MAX = 2_048;
export const SERIES_ROWS_READ_MAX = 65_536;
export const SERIES_RANGES_READ_MAX = 256;

/**
 * Rows of other games that a database passes over in the time that one takes which it sends; and how many rows there may be
 * between two entries that are read together: they take less time than another read.
 */
export const SERIES_ROWS_PASSED_OVER_PER_ROW = 8;
export const SERIES_ROWS_PER_GAP = 512;

/**
 * Questions about series that are answered at a time, and those of one namespace that may wait: they take turns with those of
 * others.
 */
export const SERIES_QUESTIONS_AT_ONCE = 2;
export const SERIES_QUESTIONS_WAITING_MAX = 64;

/**
 * What one question holds: games of streams (a kilobyte each), and last nodes of these (up to nine kilobytes). With what it
 * reads and what it draws that is the memory of one question. Where there are more games of streams, so many of those with the
 * latest records are kept: the rest is room for what is read until the next time.
 */
export const SERIES_HELD_MAX = 16_384;
export const SERIES_HELD_KEPT = 12_288;
export const SERIES_LAST_NODES_MAX = 512;
export const SERIES_QUESTION_BYTES = 64 * MIB;

/** Series that a session's list names. */
export const SERIES_LISTED_MAX = 4_096;

/** Nodes and rows of one read from the store. */
export const SERIES_NODES_PER_READ = 64;
export const SERIES_ROWS_PER_READ = 8_192;

/**
 * JSON of one such read, which is parsed in one go: about 15 ms. What it may have in each of its rows goes by the rows
 * before: at first 4 KiB, so that 512 rows are read, and a few of the longest or all 8,192 of short ones afterwards.
 */
export const SERIES_BYTES_PER_READ = 2 * MIB;
export const SERIES_ROW_BYTES_FIRST = 4 * KIB;

/**
 * Streams whose summaries are read at once, and their bytes, which are decoded in one go: each has some kilobytes mostly, and
 * with many games and keys a megabyte.
 */
export const SERIES_STREAMS_PER_READ = 64;
export const SERIES_SUMMARY_BYTES_PER_READ = 2 * MIB;

/**
 * Memory for what streams are summed up into, in all, and what of it is kept in each round: the rest is room for what comes
 * until the next one. Least recently used first out.
 */
export const ROLLUP_BYTES_MAX = 32 * MIB;
export const ROLLUP_BYTES_KEPT = 24 * MIB;

/** Records that come between two looks at that memory, where rounds wait for the store: 2 MiB of full nodes with 64 keys. */
export const ROLLUP_RECORDS_PER_LOOK = 16_384;

/** Memory for commits that wait until their stream's sums are read; what is more is read from the store again. */
export const ROLLUP_WAITING_BYTES_MAX = 16 * MIB;

/**
 * Streams whose sums are in memory or are to be, and those that may stay when there is nothing to do for them: the others
 * are room for new ones. A stream that finds no room is summed up when it is asked for, or by the search for silent ones.
 */
export const ROLLUP_STREAMS_MAX = 8_192;
export const ROLLUP_STREAMS_KEPT = 4_096;

/** Sessions whose numeric keys are known. */
export const ROLLUP_SESSIONS_MAX = 1_024;

/**
 * When a stream's sums are stored: after this many records, or so many for each changed game, as each has a node to be
 * written; after this long without another record; and at the latest after this long. Readers read what is not stored one
 * by one, and after a crash it is read again.
 */
export const ROLLUP_CHECKPOINT_RECORDS = 4_096;
export const ROLLUP_CHECKPOINT_RECORDS_PER_GROUP = 1_024;
export const ROLLUP_QUIET_MS = 5_000;
export const ROLLUP_AGE_MS_MAX = 60_000;

/** Rest between two transactions of sums: at most 20 a second stand between those of ingest. */
export const ROLLUP_REST_MS = 50;

/** How often streams are looked at that are not full yet. */
export const ROLLUP_LOOK_MS = 500;

/** Sums in one transaction. */
export const ROLLUP_STREAMS_PER_WRITE = 64;
export const ROLLUP_BYTES_PER_WRITE = 2 * MIB;

/** Records of a stream that is behind that are read at once, and how long it may take before others have their turn. */
export const ROLLUP_SLICE_RECORDS = 4_096;
export const ROLLUP_TURN_MS = 200;

/** Streams that are read at once: most are short, and waiting for the store is most of their time. */
export const ROLLUP_STREAMS_AT_ONCE = 8;

/**
 * How often streams are looked for that nobody goes on with, of sessions that are silent for so long; and how many are
 * looked at in one read: some ten milliseconds of a database's time.
 */
export const ROLLUP_SWEEP_MS = 600_000;
export const ROLLUP_SWEEP_FIRST_MS = 15_000;
export const ROLLUP_SWEEP_SILENT_MS = 120_000;
export const ROLLUP_SWEEP_STREAMS_PER_READ = 4_096;

/** How long a stream whose sums are refused waits, and what it may keep in memory meanwhile. */
export const ROLLUP_PAUSE_MS = 5_000;
export const ROLLUP_REFUSED_BYTES_MAX = 8 * MIB;

/** How long a shutdown waits for the last sums. */
export const ROLLUP_SHUTDOWN_MS = 2_000;

/** Throws where two limits contradict each other; called once, before anything else at start. */
export function assertLimits(): void {
  const relations: [boolean, string][] = [
    [BATCH_BYTES_MAX < MESSAGE_BYTES_MAX, "a batch must fit a message"],
    [BATCH_BYTES_MAX <= STREAM_WINDOW_BYTES_MAX, "a stream must be able to send its largest batch"],
    [STREAM_WINDOW_BYTES_MIN <= STREAM_WINDOW_BYTES_OPENING, "a stream must not open with less than its least share"],
    [PACE_SAMPLE_MS < QUEUE_MS_TARGET, "the pace must be known before a queue has grown to its target"],
    [BATCH_BYTES_MAX <= GROUP_BYTES_MAX, "a transaction must be able to hold the largest batch"],
    [BATCH_ENTRIES_MAX <= GROUP_RECORDS_MAX, "a transaction must be able to hold the longest batch"],
    [GROUP_RECORDS_WORTHWHILE <= GROUP_RECORDS_MAX, "a worthwhile transaction must be possible"],
    [GROUP_RECORDS_MAX <= 20_000, "Galera refuses transactions above 20,000 rows"],
    [JSON_BYTES_MAX * 2 <= BATCH_BYTES_MAX, "a record with two full JSON fields must fit a batch"],
    [JSON_DEPTH_MAX < 100, "MySQL's JSON functions must be able to read what is stored"],
    [BATCH_BYTES_MAX * DECODED_FACTOR <= INGEST_BYTES_MAX_DEFAULT, "the budget must admit the largest batch"],
    [INGEST_BYTES_MAX_DEFAULT + CACHE_BYTES_MAX_DEFAULT <= RESIDENT_BYTES_MAX, "the parts must fit the stated whole"],
    [PAGE_BYTES_MAX + 2 * JSON_BYTES_MAX <= MESSAGE_BYTES_MAX, "a page and one more record must fit a message"],
    [STATE_BYTES_MAX + PAGE_BYTES_MAX <= MESSAGE_BYTES_MAX, "a page of documents must fit a message"],
    [STATE_BYTES_MAX * 4 <= REQUEST_BYTES_IN_ALL_MAX, "a few of the largest documents must be stored side by side"],
    [
      HTTP2_WINDOW_BYTES + RECEIVING_BYTES_MAX <= CONNECTION_BYTES_MAX,
      "what a connection sends must fit what it may cost",
    ],
    [
      UNSENT_BYTES_MAX + MESSAGE_BYTES_MAX <= CONNECTION_BYTES_MAX,
      "what a connection is sent must fit what it may cost",
    ],
    [SERIES_POINTS_MAX * 2 * 60 < MESSAGE_BYTES_MAX, "the largest answer of a series must fit a message"],
    [
      SERIES_LISTED_MAX * (4 * ID_CHARS_MAX + 4 * SERIES_KEY_CHARS_MAX) <= MESSAGE_BYTES_MAX,
      "the longest list of series must fit a message",
    ],
    [
      SERIES_POINTS_DEFAULT * ROLLUP_ENTRY_RECORDS <= SERIES_ROWS_READ_MAX,
      "a default question must be answered exactly",
    ],
    [JSON_BYTES_MAX <= SERIES_BYTES_PER_READ, "a read of series must be able to have the longest JSON"],
    [MESSAGE_BYTES_MAX < RECEIVING_BYTES_MAX, "a connection must be able to send the largest message"],
    [BATCH_BYTES_MAX < RECEIVING_BYTES_PER_STREAM, "a stream must be able to send its largest batch"],
    [
      INGEST_BYTES_MAX_DEFAULT +
        BUDGET_WAITERS_MAX * BATCH_BYTES_MAX +
        CACHE_BYTES_MAX_DEFAULT +
        RECEIVING_BYTES_IN_ALL_MAX +
        REQUEST_BYTES_IN_ALL_MAX +
        UNSENT_BYTES_IN_ALL_MAX +
        ROLLUP_BYTES_MAX +
        ROLLUP_WAITING_BYTES_MAX +
        SERIES_QUESTIONS_AT_ONCE * SERIES_QUESTION_BYTES <=
        RESIDENT_BYTES_MAX,
      "all that calls hold must fit the stated whole",
    ],
    [HTTP_CONNECTIONS_PER_ADDRESS_MAX < HTTP_CONNECTIONS_MAX, "one address must not take every connection"],
    [EVENT_STREAMS_MAX < HTTP_CONNECTIONS_MAX, "open pages must leave connections for scrapers"],
    [EVENT_STREAMS_PER_ADDRESS_MAX < EVENT_STREAMS_MAX, "one address must not take every event stream"],
    [LIVE_SAMPLE_INTERVAL_MS % LIVE_INTERVAL_MS === 0, "samples must fall on lines"],
    [FIRST_REQUEST_MS_MAX < UNREAD_MS_MAX, "a connection must prove itself before it may be slow"],
    [OPEN_STREAMS_MAX <= CONNECTIONS_MAX_DEFAULT, "each stream may come from a connection of its own"],
    [ERROR_MESSAGE_CHARS_MAX * 6 < HEADER_LIST_BYTES_MAX, "an error must fit the headers of an answer"],
    [TAIL_LIMIT_MAX <= PAGE_SIZE_MAX, "a tail is at most one page"],
    [CURSOR_STREAMS_MAX <= SESSION_STREAMS_MAX, "a cursor cannot have more streams than a session"],
    [LOST_AFTER_MS >= 5 * LAST_SEEN_MS, "a session that is written must never look lost"],
    [LEASE_MS >= 2 * MAINTENANCE_INTERVAL_MS, "a lease must survive one missed run"],
    [LOCK_WAIT_SECONDS * 1_000 < STATEMENT_TIMEOUT_MS, "a lock wait must end before its statement is given up"],
    [DEAD_LETTER_BODY_BYTES_MAX <= DEAD_LETTER_BYTES_MAX_DEFAULT, "the quota must admit one body"],
    [ROLLUP_BYTES_KEPT < ROLLUP_BYTES_MAX, "sums must have room until the next round"],
    [SERIES_HELD_KEPT < SERIES_HELD_MAX, "a question must have room until it makes some again"],
    [KEYS_LIVE_MAX < KEYS_READ_MAX, "every live key must be read"],
    [KEY_STREAMS_DEFAULT <= OPEN_STREAMS_MAX, "one key cannot have more streams than a server"],
    [KEYS_POLL_MS * 5 <= 30_000, "a revoked key must end within 30 seconds, a few failed looks included"],
    [ROTATION_GRACE_SECONDS_DEFAULT <= ROTATION_GRACE_SECONDS_MAX, "the default grace must be allowed"],
    [CATCH_UP_PAGE <= PAGE_SIZE_MAX, "a catch-up read is at most one page"],
  ];
  for (const [holds, why] of relations) {
    if (!holds) throw new Error(`limits.ts contradicts itself: ${why}`);
  }
}
