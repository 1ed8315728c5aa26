/**
 * The one configuration of the server: every setting with its default, its bounds and what it is for.
 *
 * Flags come before TAILKEEP_* variables, these before tailkeep.yaml, that before the defaults. `grpcAddr` is
 * `--grpc-addr`, `TAILKEEP_GRPC_ADDR` and `grpcAddr:`; `memoryLimits.frameHistory` is `TAILKEEP_MEMORY_LIMITS_FRAME_HISTORY`.
 *
 * A setting marked LIVE follows tailkeep.yaml while the server runs; whoever uses one must take it from what is current.
 * Every other one is read once, at start.
 */
import { z } from "zod";
import { parseMysqlUrl } from "../base/mysql-url.js";
import {
  ACTION_LIMIT_MAX,
  ACTION_LIMITS_DEFAULT,
  ARCHITECT_EVOLUTIONS_DEFAULT,
  BATCH_BYTES_MAX,
  CACHE_BYTES_MAX_DEFAULT,
  CACHE_RECORDS_DEFAULT,
  CACHE_SESSIONS_MAX_DEFAULT,
  CONNECTIONS_MAX_DEFAULT,
  CONNECTIONS_PER_ADDRESS_MAX_DEFAULT,
  DEAD_LETTER_BYTES_MAX_DEFAULT,
  DECODED_FACTOR,
  DICTIONARY_KEYS_DEFAULT,
  GOVERNOR_DECISIONS_DEFAULT,
  GROUP_DELAY_MS_DEFAULT,
  INGEST_BYTES_MAX_DEFAULT,
  MEMORY_LIMIT_MAX,
  MYSQL_LANES_DEFAULT,
  RETENTION_DAYS_DEFAULT,
  RETENTION_DAYS_MAX,
  ROLLUP_DAYS_DEFAULT,
  SHUTDOWN_MS_DEFAULT,
} from "../limits.js";

/** Metadata of settings; it shows in the JSON schema too. */
const LIVE = { live: true };

const address = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/,
    "must be host:port, such as 127.0.0.1:50051; port 0 picks a free one",
  );

/** Here, and not first where the database is asked: one line at start, before anything is opened. */
function refuseWrongUrl(store: string, context: z.RefinementCtx): void {
  if (!store.startsWith("mysql://")) return;
  try {
    parseMysqlUrl(store);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
  }
}

const records = (fallback: number) => z.number().int().min(1).max(MEMORY_LIMIT_MAX).default(fallback).meta(LIVE);
const days = () => z.number().int().min(0).max(RETENTION_DAYS_MAX).default(0);
const daysKept = () => z.number().int().min(1).max(RETENTION_DAYS_MAX);
const daysOfTypes = {
  performanceHistory: daysKept().optional(),
  sessionHistory: daysKept().optional(),
  actionHistory: daysKept().optional(),
  scoreHistory: daysKept().optional(),
  coordinateAttempts: daysKept().optional(),
  frameHistory: daysKept().optional(),
};
const actions = (fallback: number) => z.number().int().min(1).max(ACTION_LIMIT_MAX).default(fallback).meta(LIVE);

export const configSchema = z.strictObject({
  grpcAddr: address.default("127.0.0.1:50051").describe("Where gRPC listens."),
  httpAddr: address.default("127.0.0.1:9464").describe("Where metrics, health and the status page listen."),
  store: z
    .string()
    .regex(/^(sqlite:.+|mysql:\/\/.+)$/, "must be sqlite:FILE or mysql://user:password@host:3306/database")
    .superRefine(refuseWrongUrl)
    .default("sqlite:./data/tailkeep.db")
    .describe("Where records are kept: sqlite:FILE, or mysql://user:password@host:3306/database (?ssl=true for TLS)."),
  allowUnprotected: z
    .boolean()
    .default(false)
    .describe(
      "Listen beyond loopback without TLS, and without keys while there are none: the network itself is protected.",
    ),
  tlsCert: z.string().default("").describe("File (PEM) with the certificate chain; switches TLS on for gRPC and HTTP."),
  tlsKey: z.string().default("").describe("File (PEM) with the certificate's private key."),
  tlsClientCa: z
    .string()
    .default("")
    .describe("File (PEM) with the authorities of clients' certificates; gRPC clients must then have one."),
  requireKeys: z
    .enum(["auto", "always"])
    .default("auto")
    .describe("Whether callers need an API key: auto, as soon as one was made and beyond loopback; or always."),
  logLevel: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .default("info")
    .describe("Log level.")
    .meta(LIVE),
  retentionDays: z
    .number()
    .int()
    .min(1)
    .max(RETENTION_DAYS_MAX)
    .default(RETENTION_DAYS_DEFAULT)
    .describe("Days that a row is kept; fixed for a row when it is stored."),
  retentionDaysOf: z
    .strictObject({
      performanceHistory: days(),
      sessionHistory: days(),
      actionHistory: days(),
      scoreHistory: days(),
      coordinateAttempts: days(),
      frameHistory: days(),
    })
    .prefault({})
    .describe("Days that rows of a type are kept; 0: retentionDays."),
  retentionDaysIn: z
    .record(
      z.string().min(1),
      z.union([daysKept(), z.strictObject(daysOfTypes)], {
        error: `must be days from 1 to ${RETENTION_DAYS_MAX}, or days by type such as { frameHistory: 7 }`,
      }),
    )
    .default({})
    .describe(
      "Days that rows of a namespace are kept: { team-a: 90, team-b: { frameHistory: 7 } }; types that are not named as above.",
    ),
  rollups: z
    .boolean()
    .default(true)
    .describe("Whether numbers are summed up as they are stored, so that charts of long sessions open at once."),
  rollupDays: z
    .number()
    .int()
    .min(1)
    .max(RETENTION_DAYS_MAX)
    .default(ROLLUP_DAYS_DEFAULT)
    .describe("Days that the sums behind charts are kept, which may be longer than the records they are of."),
  ingestBytesMax: z
    .number()
    .int()
    .min(BATCH_BYTES_MAX * DECODED_FACTOR)
    .default(INGEST_BYTES_MAX_DEFAULT)
    .describe("Memory for batches that are received and not yet committed, in bytes."),
  connectionsMax: z
    .number()
    .int()
    .min(1)
    .default(CONNECTIONS_MAX_DEFAULT)
    .describe("gRPC connections in all; one more is closed at once."),
  connectionsPerAddressMax: z
    .number()
    .int()
    .min(1)
    .default(CONNECTIONS_PER_ADDRESS_MAX_DEFAULT)
    .describe("gRPC connections from one address; raise it behind a proxy, whose address is that of all."),
  cacheBytesMax: z
    .number()
    .int()
    .min(0)
    .default(CACHE_BYTES_MAX_DEFAULT)
    .describe("Memory for the newest records of all sessions, in bytes.")
    .meta(LIVE),
  cacheSessionsMax: z
    .number()
    .int()
    .min(1)
    .default(CACHE_SESSIONS_MAX_DEFAULT)
    .describe("Sessions whose newest records are kept in memory; least recently used first out.")
    .meta(LIVE),
  memoryLimits: z
    .strictObject({
      performanceHistory: records(CACHE_RECORDS_DEFAULT.performance_history),
      sessionHistory: records(CACHE_RECORDS_DEFAULT.session_history),
      actionHistory: records(CACHE_RECORDS_DEFAULT.action_tracking),
      scoreHistory: records(CACHE_RECORDS_DEFAULT.score_history),
      coordinateAttempts: records(CACHE_RECORDS_DEFAULT.coordinate_tracking),
      frameHistory: records(CACHE_RECORDS_DEFAULT.frame_tracking),
      dictionaries: records(DICTIONARY_KEYS_DEFAULT),
      governorDecisions: records(GOVERNOR_DECISIONS_DEFAULT),
      architectEvolutions: records(ARCHITECT_EVOLUTIONS_DEFAULT),
    })
    .prefault({})
    .describe("Items kept in memory, of each type for a session and for a list of a trainer; config set overrides it."),
  actionLimits: z
    .strictObject({
      perGame: actions(ACTION_LIMITS_DEFAULT.perGame),
      perSession: actions(ACTION_LIMITS_DEFAULT.perSession),
      perScorecard: actions(ACTION_LIMITS_DEFAULT.perScorecard),
      perEpisode: actions(ACTION_LIMITS_DEFAULT.perEpisode),
      scalingBase: actions(ACTION_LIMITS_DEFAULT.scalingBase),
      scalingMax: actions(ACTION_LIMITS_DEFAULT.scalingMax),
    })
    .refine(({ scalingBase, scalingMax }) => scalingBase <= scalingMax, {
      path: ["scalingBase"],
      error: "must be at most scalingMax",
    })
    .prefault({})
    .describe("Actions that trainers may take, for them to read; config set overrides it."),
  deadLetterBytesMax: z
    .number()
    .int()
    .min(0)
    .default(DEAD_LETTER_BYTES_MAX_DEFAULT)
    .describe("Bodies of dead letters kept for a namespace, in bytes; beyond it only range and reason."),
  mysqlLanes: z.number().int().min(1).max(16).default(MYSQL_LANES_DEFAULT).describe("Transactions in flight on MySQL."),
  groupDelayMs: z
    .number()
    .min(0)
    .max(1_000)
    .default(GROUP_DELAY_MS_DEFAULT)
    .describe("How long a batch may wait for company while another transaction is under way, in milliseconds."),
  shutdownMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(SHUTDOWN_MS_DEFAULT)
    .describe("How long a shutdown may take to commit and ack what was accepted, in milliseconds.")
    .meta(LIVE),
});

export type Config = z.infer<typeof configSchema>;

/** Memory limits in the order of the tables. */
export function cacheCapacities({ memoryLimits }: Pick<Config, "memoryLimits">): number[] {
  return [
    memoryLimits.performanceHistory,
    memoryLimits.sessionHistory,
    memoryLimits.actionHistory,
    memoryLimits.scoreHistory,
    memoryLimits.coordinateAttempts,
    memoryLimits.frameHistory,
  ];
}
