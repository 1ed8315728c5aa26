import { connect, type TailkeepClient } from "../client.js";
import { systemClock } from "../clock.js";
import { ClosedError, DeadlineError } from "../errors/errors.js";
import { Waiters, type WaitOptions } from "../ingest/waiters.js";
import { CALL_TIMEOUT_MS_DEFAULT, STATE_CLOSE_MS_DEFAULT, STATE_PROBE_TIMEOUT_MS } from "../limits.js";
import type { JsonValue } from "../records/training-record.js";
import { Background } from "./background.js";
import { Conflicts, type StateConflict } from "./conflict.js";
import { checkAmounts } from "./counts.js";
import { ownText } from "./marker.js";
import { type ResolvedStateStoreOptions, resolveStateStoreOptions, type StateStoreOptions } from "./options.js";
import { type StateProblem, StateProblems } from "./problems.js";
import { RemoteDocuments } from "./remote-documents.js";
import type {
  StateCountResult,
  StateListEntry,
  StateReading,
  StateStoreReadings,
  StateUpdateResult,
  StateWriteResult,
} from "./results.js";
import { StateEngine } from "./state-engine.js";
import { StateFolder } from "./state-folder.js";
import { StateHandle } from "./state-handle.js";
import { checkName, parsed } from "./values.js";

/**
 * Named JSON documents: the database first, and files in a folder while the server is away.
 *
 * While the server answers, each call is one or two calls to it. When one finds it away, or waits longer than
 * `patienceMs`, the store turns to its folder, where a write is durable when its promise resolves, and asks for the server
 * now and then. When it is back, each document is reconciled: increments are added to what is there, exactly once; a value
 * is written if nobody else has changed the document meanwhile, else the conflict policy decides, and the losing side is
 * kept in a file. Values are at most 1 MiB as JSON text and nested at most 64 deep; NaN and the infinities become strings.
 *
 * Several processes may share a folder: each has files of its own for what is pending, and sees what another changed once
 * that is in the database. What a process had pending that was killed is taken over by another one of the folder, or by
 * the next that starts.
 */
export class StateStore {
  /** Options with every default filled in. */
  readonly options: ResolvedStateStoreOptions;
  readonly #client: TailkeepClient;
  readonly #ownsClient: boolean;
  readonly #conflicts = new Conflicts();
  readonly #problems = new StateProblems();
  readonly #engine: StateEngine;
  readonly #background: Background;
  readonly #waiters = new Waiters(systemClock);
  readonly #ready: Promise<void>;
  #closing: Promise<void> | undefined;

  /** Sends nothing by itself, unless an earlier process has left something. Throws InvalidArgumentError for options that cannot be. */
  constructor(options: StateStoreOptions = {}) {
    this.options = resolveStateStoreOptions(options);
    this.#ownsClient = options.client === undefined;
    this.#client = options.client ?? connect(options);
    const folder = new StateFolder(this.options.folder, this.#problems);
    this.#engine = new StateEngine({
      clock: systemClock,
      remote: new RemoteDocuments(this.#client.state),
      folder,
      policy: this.options.conflict,
      conflicts: this.#conflicts,
      problems: this.#problems,
      patienceMs: this.options.patienceMs,
      ask: async () => {
        await this.#client.state.list({ pageSize: 1, limit: 1 }, { timeoutMs: STATE_PROBE_TIMEOUT_MS }).firstPage();
      },
      onBack: () => void this.#background.reconcileAll(),
      onLate: () => this.#background.reconcileSoon(),
      onProgress: () => this.#waiters.check(),
    });
    this.#background = new Background(this.#engine, this.#problems, systemClock);
    this.#ready = this.#background.start().catch((error: unknown) => folder.failed(error));
    void folder.removeLeftovers();
  }

  /**
   * A document's value, a copy of its own; undefined if there is none. While the server is away: the value last seen by
   * any process of the folder, with this process's own changes; undefined too if none has seen it.
   */
  async get<Value extends JsonValue = JsonValue>(name: string): Promise<Value | undefined> {
    return (await this.read<Value>(name))?.value;
  }

  /** A document's value and where it comes from; undefined like `get`. */
  async read<Value extends JsonValue = JsonValue>(name: string): Promise<StateReading<Value> | undefined> {
    const fullName = await this.#enter(name);
    const { text, version, updatedAtUs, place } = await this.#engine.read(fullName);
    if (text === undefined) return undefined;
    const isPending = this.#engine.book.has(fullName);
    return { value: parsed(text) as Value, from: place, version, updatedAtUs, isPending };
  }

  /**
   * Writes a document, whatever was there. Of puts of one document that wait for each other, as nobody awaited them, only
   * the last is written, and all resolve when it is. Rejects with InvalidArgumentError or UnencodableError for what cannot be
   * stored, with PermissionError where the server refuses, and with ResourceExhaustedError where too much is pending;
   * never because the server is away.
   */
  async put(name: string, value: JsonValue): Promise<StateWriteResult> {
    const text = ownText(value);
    const { place, version } = await this.#engine.replace(await this.#enter(name), text);
    return { storedIn: place, version };
  }

  /**
   * Changes a document by a function that gets a copy of its value (undefined if there is none) and returns the new one,
   * or undefined to leave the document as it is. With the server there it is a compare-and-set: if somebody else writes
   * meanwhile, the function is called again with the new value, so it must do nothing but compute. Without the server it is a
   * put of the result: use `increment` for sums. Rejects with what the function throws, with VersionMismatchError if
   * others write the document all the time, else like `put`.
   */
  async update<Value extends JsonValue = JsonValue>(
    name: string,
    change: (value: Value | undefined) => Value | undefined,
  ): Promise<StateUpdateResult<Value>> {
    const { place, version, text } = await this.#engine.update(await this.#enter(name), (before) => {
      const after = change(before === undefined ? undefined : (parsed(before) as Value));
      return after === undefined ? undefined : ownText(after);
    });
    return { storedIn: place, version, value: text === undefined ? undefined : (parsed(text) as Value) };
  }

  /** Deletes a document, whatever it is. Rejects like `put`. */
  async delete(name: string): Promise<StateWriteResult> {
    const { place, version } = await this.#engine.replace(await this.#enter(name), undefined);
    return { storedIn: place, version };
  }

  /**
   * Adds to a number of a document that is an object; a missing document or field counts as 0. Increments of all processes
   * add up, with or without the server, and each counts once, also where an answer of the server is lost or the process is
   * killed after the promise has resolved. Many may be under way at once; they are sent together. The document gets
   * a member `$tailkeep` in the database for that, which the store does not show. Rejects with InvalidArgumentError
   * (NOT_A_COUNTER) where the field is no number, else like `put`.
   */
  async increment(name: string, field: string, by = 1): Promise<StateCountResult> {
    const amounts = checkAmounts({ [field]: by });
    const { place, version, values } = await this.#engine.count(await this.#enter(name), amounts);
    return { storedIn: place, version, value: values[field] as number };
  }

  /** Adds to several numbers of a document at once: all or none. Returns their values. See `increment`. */
  async incrementAll(
    name: string,
    by: Readonly<Record<string, number>>,
  ): Promise<StateWriteResult & { readonly values: Readonly<Record<string, number>> }> {
    const amounts = checkAmounts(by);
    const { place, version, values } = await this.#engine.count(await this.#enter(name), amounts);
    return { storedIn: place, version, values };
  }

  /** Documents whose name begins with `prefix`, by name. @param limit At most so many. @default 10,000 */
  async list(prefix = "", { limit = LIST_MAX_DEFAULT }: { readonly limit?: number } = {}): Promise<StateListEntry[]> {
    await this.#open();
    const ownPrefix = this.options.prefix + prefix;
    const { book } = this.#engine;
    const found = await this.#engine.list(ownPrefix, limit);
    const entries = [...found]
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([name, { version, updatedAtUs }]) => ({
        name: name.slice(this.options.prefix.length),
        version,
        updatedAtUs,
        isPending: book.has(name),
      }));
    return entries.slice(0, limit);
  }

  /** One document by its name. */
  document<Value extends JsonValue = JsonValue>(name: string): StateHandle<Value> {
    checkName(this.options.prefix + name);
    return new StateHandle<Value>(this, name);
  }

  /** What all runs have counted: the earlier `global_counters.json`. */
  get globalCounters(): StateHandle<Readonly<Record<string, number>>> {
    return this.document("global_counters");
  }

  /** What was learned about the actions of a game: the earlier `action_intelligence_<game>.json`. */
  actionIntelligence<Value extends JsonValue = JsonValue>(gameId: string): StateHandle<Value> {
    return this.document(`action_intelligence_${gameId}`);
  }

  /** The earlier performance data. */
  get performanceData(): StateHandle {
    return this.document("performance_data");
  }

  /** The earlier learning state. */
  get learningState(): StateHandle {
    return this.document("learning_state");
  }

  /** The earlier architect evolution. */
  get architectEvolution(): StateHandle {
    return this.document("architect_evolution");
  }

  /** Whether the server was found away and has not come back. */
  get isServerAway(): boolean {
    return this.#engine.circuit.isAway;
  }

  /** How things stand, for metrics. */
  readings(): StateStoreReadings {
    const { circuit, book } = this.#engine;
    return {
      isServerAway: circuit.isAway,
      pendingDocuments: book.size,
      pendingBytes: book.bytes,
      conflicts: this.#conflicts.count,
    };
  }

  /** Calls `listener` for each conflict that was resolved. Returns what removes it. */
  onConflict(listener: (conflict: StateConflict) => void): () => void {
    return this.#conflicts.add(listener);
  }

  /** Calls `listener` for what a person should know. Returns what removes it. */
  onProblem(listener: (problem: StateProblem) => void): () => void {
    return this.#problems.add(listener);
  }

  /**
   * Resolves when everything asked for so far is in the database; rejects with DeadlineError when the time is up. What is
   * in the folder is tried on after that too. @default timeoutMs 10,000
   */
  async flush({ timeoutMs = CALL_TIMEOUT_MS_DEFAULT, signal }: WaitOptions = {}): Promise<void> {
    await this.#open();
    await this.#flush({ timeoutMs, signal }, () => false);
  }

  /**
   * Waits for the calls under way and tries to bring everything into the database; what cannot be stays in the folder,
   * for whoever opens it next. Never rejects. @default timeoutMs 2,000
   */
  close({ timeoutMs = STATE_CLOSE_MS_DEFAULT, signal }: WaitOptions = {}): Promise<void> {
    this.#closing ??= this.#close({ timeoutMs, signal });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @param isEnough Stop waiting all the same. */
  async #flush(options: WaitOptions, isEnough: () => boolean): Promise<void> {
    const { circuit, turns, book } = this.#engine;
    circuit.hurry();
    if (!circuit.isAway) void this.#background.reconcileAll();
    await this.#waiters.until(
      () => turns.size === 0 && (book.size === 0 || isEnough()),
      options,
      (timeoutMs) =>
        new DeadlineError(
          `${book.size} documents are not in the database after ${timeoutMs} ms: check that the server is up`,
          { code: "DEADLINE_EXCEEDED", retryable: true, grpcStatus: 4 },
        ),
    );
  }

  async #close(options: WaitOptions): Promise<void> {
    await this.#ready;
    // Calls made before this one have taken their turn after that.
    await new Promise((resolve) => setImmediate(resolve));
    const { circuit, turns, book } = this.#engine;
    // A server that is away is asked once more, but not waited for.
    await this.#flush(options, () => circuit.isGivenUp).catch(() => undefined);
    this.#background.close();
    circuit.close();
    // What still runs ends within its patience.
    await turns.idle();
    await this.#engine.keepAgain();
    for (const name of book.unkept()) {
      const message = `${name} was neither in the database nor in the folder when the store was closed: its change is lost`;
      this.#problems.report({ code: "LOST_AT_CLOSE", message, name });
    }
    await book.release();
    if (this.#ownsClient) await this.#client.close().catch(() => undefined);
  }

  /** Before each call about a document. Returns its full name. */
  async #enter(name: string): Promise<string> {
    const fullName = checkName(this.options.prefix + name);
    await this.#open();
    return fullName;
  }

  /** Before each call: the store is open, and what earlier processes left is known. */
  async #open(): Promise<void> {
    if (this.#closing !== undefined) {
      throw new ClosedError("the state store is closed: make another one", { code: "STATE_CLOSED", retryable: false });
    }
    await this.#ready;
  }
}

const LIST_MAX_DEFAULT = 10_000;
