/** A store in memory whose transactions end when and how a test says, and a group commit in front of it. */
import { GroupCommit } from "@tailkeep/server/dist/commit/group-commit.js";
import { StreamQueue } from "@tailkeep/server/dist/commit/stream-queue.js";
import type { Batch } from "@tailkeep/server/dist/record/batch.js";
import { admit, advance, countsOf, type StreamRow } from "@tailkeep/server/dist/store/admit.js";
import type { StoreError } from "@tailkeep/server/dist/store/errors.js";
import type { Run, RunOutcome, Store } from "@tailkeep/server/dist/store/store.js";
import { FakeClock } from "../../support/fake-clock.js";

/** A transaction that the store was asked for and has not answered. */
export interface Transaction {
  readonly runs: readonly Run[];
  /** Commits it. */
  commit(): void;
  /** Commits it and loses the answer. */
  commitUnanswered(error: StoreError): void;
  /** Does nothing. */
  fail(error: StoreError): void;
}

export class MemoryStore {
  readonly streams = new Map<bigint, StreamRow>();
  /** Numbers in the order in which they were stored. */
  readonly stored = new Map<bigint, number[]>();
  readonly pending: Transaction[] = [];
  readonly capabilities: { sharedByServers: boolean; lanes: number };
  deadLetters: { seq: number; type: number; reason: number; field: string; message: string; body: null }[] = [];
  readonly reads = { deadLettersBetween: () => Promise.resolve(this.deadLetters) };
  /** Seqs that the store refuses as data. */
  readonly poison = new Set<number>();

  constructor(lanes: number) {
    this.capabilities = { sharedByServers: true, lanes };
  }

  commit(runs: readonly Run[]): Promise<RunOutcome[]> {
    const { promise, resolve, reject } = Promise.withResolvers<RunOutcome[]>();
    const taken = (): void => {
      this.pending.splice(this.pending.indexOf(transaction), 1);
    };
    const transaction: Transaction = {
      runs,
      commit: () => {
        taken();
        resolve(runs.map((run) => this.#apply(run)));
      },
      commitUnanswered: (error) => {
        taken();
        for (const run of runs) this.#apply(run);
        reject(error);
      },
      fail: (error) => {
        taken();
        reject(error);
      },
    };
    this.pending.push(transaction);
    return promise;
  }

  #apply(run: Run): RunOutcome {
    const row = this.streams.get(run.key);
    const admission = admit(run, row);
    if (admission.kind !== "admitted" || row === undefined) return admission as RunOutcome;
    const seqs = admission.run.rows.flatMap((rows) => rows?.seqs ?? []).sort((a, b) => a - b);
    const refused = seqs
      .filter((seq) => this.poison.has(seq))
      .map((seq) => ({ seq, type: 5 as const, reason: 4 as const, field: "f", message: "m", body: null }));
    this.deadLetters.push(...refused);
    this.stored.set(run.key, [...(this.stored.get(run.key) ?? []), ...seqs.filter((seq) => !this.poison.has(seq))]);
    const next = advance(row, admission.run, refused);
    this.streams.set(run.key, next);
    return {
      kind: "committed",
      committedSeq: next.committedSeq,
      counts: countsOf(next),
      alreadyUpTo: admission.alreadyUpTo,
      rejected: [...run.rejected, ...refused],
    };
  }
}

/** What was heard, in order: `7 committed 1-3`, `retry 1`, ... */
export class Fixture {
  readonly clock = new FakeClock();
  readonly store: MemoryStore;
  readonly commit: GroupCommit;
  readonly heard: string[] = [];

  constructor(lanes = 2, groupDelayMs = 2) {
    this.store = new MemoryStore(lanes);
    this.commit = new GroupCommit(
      this.store as unknown as Store,
      this.clock,
      { groupDelayMs },
      {
        committed: () => undefined,
        transaction: () => undefined,
        retrying: (error, attempt) => this.heard.push(`retry ${attempt} ${error.kind}`),
        recovered: () => this.heard.push("recovered"),
        broken: (_identity, cause) => this.heard.push(`broken: ${cause}`),
      },
    );
  }

  /** An open stream; `key` also names it in what is heard. */
  queue(key: number, epoch = 1): StreamQueue {
    const identity = {
      key: BigInt(key),
      namespace: "default",
      sessionId: "s",
      streamId: String(key),
      writerId: "w",
      epoch,
    };
    const zeros = { storedByTable: [0, 0, 0, 0, 0, 0], rejected: 0, gapped: 0 };
    if (!this.store.streams.has(identity.key)) {
      this.store.streams.set(identity.key, { writerId: "w", epoch, committedSeq: 0, ...zeros });
    }
    return new StreamQueue(identity, {
      committed: (batches: readonly Batch[], outcome) => {
        const rejected = outcome.rejected.map(({ seq }) => ` -${seq}`).join("");
        this.heard.push(`${key} committed ${batches[0]?.firstSeq}-${batches.at(-1)?.lastSeq}${rejected}`);
      },
      failed: (outcome) => this.heard.push(`${key} ${outcome.kind}`),
    });
  }

  /** Numbers of the runs of each transaction under way, `1:1-3 2:1-1`. */
  get underWay(): string[] {
    return this.store.pending.map(({ runs }) =>
      runs.map((run) => `${run.key}:${run.firstSeq}-${run.lastSeq}`).join(" "),
    );
  }

  transaction(index = 0): Transaction {
    const transaction = this.store.pending[index];
    if (transaction === undefined) throw new Error(`no transaction ${index} is under way`);
    return transaction;
  }
}
