/** What the server answers, as far as the pages read it. Integers are plain numbers; what JSON has no number for is text. */

export interface Counts {
  stored: number;
  rejected: number;
  gapped: number;
}

export interface Session {
  sessionId: string;
  name: string;
  labels: Record<string, string>;
  configJson: string;
  state: number;
  startedAtUs: number;
  lastSeenAtUs: number;
  endedAtUs?: number;
  counts?: Counts;
  streamCount: number;
  pinned: boolean;
}

export interface SessionPage {
  sessions: Session[];
  nextPageToken: string;
  complete: boolean;
}

export interface Statistics {
  stored: { type: number; count: number }[];
  counts: Counts;
  sessionCount: number;
  streamCount: number;
}

export interface Gap {
  sessionId: string;
  streamId: string;
  firstSeq: number;
  lastSeq: number;
  type: number;
  cause: number;
  createdAtUs: number;
}

export interface DeadLetter {
  sessionId: string;
  streamId: string;
  rejection: { seq: number; reason: number; field: string; message: string };
  type: number;
  record?: unknown;
  createdAtUs: number;
}

export interface StoredRecord {
  sessionId: string;
  streamId: string;
  seq: number;
  record: { eventTimeUs: number; kind: { $case: string; value: Record<string, unknown> } };
}

export interface Ledger {
  streams: { streamId: string; writerId: string; epoch: number; committedSeq: number; counts: Counts }[];
  nextPageToken: string;
}

export interface ServerInfo {
  version: string;
  grpcAddr: string;
  namespace: string;
  roles: ("write" | "read" | "admin")[];
  audit: {
    engine: string;
    durable: boolean;
    findings: { level: string; setting: string; found: string; advice: string }[];
  } | null;
  expiryHeld: boolean;
}

export interface Config {
  version: number;
  updatedAtUs: number;
  memoryLimits: Record<string, number>;
  actionLimits: Record<string, number>;
  sources: Record<string, number>;
}

export interface ConfigChange {
  version: number;
  createdAtUs: number;
  author: string;
  comment: string;
  settings: Record<string, { before?: number; after?: number }>;
}

export interface Retention {
  storingDay: string;
  types: { type: number; days: number }[];
  heldBecause: string;
  due: { table: string; rows: number }[];
  runs: { endedAtUs: number; storingDay: string; removed: { table: string; rows: number }[] }[];
  pinnedSessions: number;
}

export const RUNNING = 1;
export const FINISHED = 2;
export const LOST = 3;

export const STATE_NAMES: Readonly<Record<number, string>> = { 1: "running", 2: "finished", 3: "lost" };

/** By number of the type. */
export const TYPE_NAMES: Readonly<Record<number, string>> = {
  2: "performance",
  3: "session",
  4: "action",
  5: "score",
  6: "coordinate",
  7: "frame",
};

export const TYPE_OF_CASE: Readonly<Record<string, number>> = {
  performanceHistory: 2,
  sessionHistory: 3,
  actionTracking: 4,
  scoreHistory: 5,
  coordinateTracking: 6,
  frameTracking: 7,
};

/** Why records are missing, in words. */
export const GAP_CAUSES: Readonly<Record<number, string>> = {
  0: "not said",
  1: "the trainer's buffer was full",
  2: "another writer took the stream over",
  3: "the records could not be encoded",
  4: "the trainer's spill files were damaged",
  5: "the database was restored to an earlier time",
};

export const CONFIG_SOURCES: Readonly<Record<number, string>> = {
  0: "unknown",
  1: "built-in default",
  2: "this server's settings",
  3: "set centrally",
};

/** Its name where it has one, else its id. */
export function titleOf(session: Session): string {
  return session.name === "" ? session.sessionId : session.name;
}
