/**
 * Moves an installation from SQLite to MySQL; server/docs/migrate.md has the whole of it.
 *
 * 1. Rows are copied while the server of the source serves, until hardly any are missing.
 * 2. Once that server is stopped its lock is taken; the rest is copied, what changed behind the copy is settled, and
 *    sessions, watermarks and everything else follow.
 * 3. The source is marked as moved, and after it the target as complete. No server takes either in between.
 *
 * Each step may be cut off anywhere and run again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../store/errors.js";
import { type FileLock, lockFile, lockOfServer } from "../store/sqlite/file-lock.js";
import { copyNewRows, type Passed } from "./copy-rows.js";
import { removeWhatDiffers } from "./settle.js";
import { moveSideTables } from "./side-tables.js";
import { Source } from "./source.js";
import { Target } from "./target.js";

/** A pass that copies fewer rows than this has caught up. */
const CAUGHT_UP_ROWS = 10_000;

/** Between looks while the server still runs. */
const LOOK_MS = 500;

/** Twice is enough where nobody writes; more would go on for ever where somebody does. */
const SETTLE_ROUNDS_MAX = 5;

export interface MigrationOptions {
  readonly file: string;
  readonly to: string;
  /** Ends when it has caught up, and leaves the last step to another run. */
  readonly copyOnly: boolean;
  readonly signal: AbortSignal;
}

export interface MigrationEvents {
  copied(rows: number): void;
  /** All but the newest rows are there; the server of the source still runs. */
  caughtUp(): void;
  /** The server is stopped: from here until the end nobody is served. */
  finishing(): void;
}

export interface MigrationResult {
  readonly status: "finished" | "was finished before" | "caught up" | "interrupted";
  /** Rows copied by this run. */
  readonly rows: number;
  /** Groups of rows that had changed behind the copy. */
  readonly settled: number;
  readonly sideRows: Readonly<Record<string, number>>;
  readonly finishingSeconds: number;
}

/** @throws Error in words; running it again goes on where it ended */
export async function runMigration(options: MigrationOptions, events: MigrationEvents): Promise<MigrationResult> {
  const { file, signal } = options;
  const isInterrupted = () => signal.aborted;
  const source = new Source(file);
  const target = new Target(options.to);
  let alone: FileLock | undefined;
  let held: FileLock | undefined;
  const result = { rows: 0, settled: 0, sideRows: {}, finishingSeconds: 0 };
  try {
    alone = lockFile(`${file}-migrate-lock`, `another tailkeep migrate works on ${file}; let it finish`);
    const identity = source.identity();
    if ((await target.prepare(source, identity)) === "finished") return { ...result, status: "was finished before" };
    const passed: Passed = new Map();
    const copy = async () => {
      const rows = await copyNewRows(source, target, passed, (count) => events.copied(count), signal);
      result.rows += rows;
      return rows;
    };
    while ((await copy()) >= CAUGHT_UP_ROWS && !isInterrupted());
    if (options.copyOnly) return { ...result, status: isInterrupted() ? "interrupted" : "caught up" };
    held = tryLock(file);
    if (held === undefined) events.caughtUp();
    while (held === undefined && !isInterrupted()) {
      await copy();
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
      held = tryLock(file);
    }
    if (held === undefined || isInterrupted()) return { ...result, status: "interrupted" };

    const startedMs = performance.now();
    events.finishing();
    await target.addPartitions(source);
    await copy();
    for (let round = 1; !isInterrupted(); round++) {
      const differing = await removeWhatDiffers(source, target, signal);
      if (differing === 0 || isInterrupted()) break;
      if (round === SETTLE_ROUNDS_MAX)
        throw new Error("the two stores still differ: does somebody write to one of them?");
      result.settled += differing;
      passed.clear();
      await copy();
    }
    if (isInterrupted()) return { ...result, status: "interrupted" };
    const sideRows = await moveSideTables(source, target);
    source.markMoved();
    await target.finish(identity);
    const finishingSeconds = (performance.now() - startedMs) / 1_000;
    return { ...result, status: "finished", sideRows, finishingSeconds };
  } finally {
    held?.release();
    alone?.release();
    target.close();
    source.close();
  }
}

/** Undefined while a server has the file. */
function tryLock(file: string): FileLock | undefined {
  try {
    return lockFile(lockOfServer(file), "");
  } catch (error) {
    if (error instanceof StoreError && error.code === "SECOND_SERVER") return undefined;
    throw error;
  }
}
