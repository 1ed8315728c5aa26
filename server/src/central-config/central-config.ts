/**
 * The limits in force: what the database has, over what this server is configured with, over the defaults. Kept in memory,
 * and looked at in the database every second, so that a change reaches every server that shares it.
 */
import type { Clock } from "../base/clock.js";
import { CONFIG_POLL_MS } from "../limits.js";
import { badField, RpcError } from "../rpc/errors.js";
import type { ConfigRow } from "../store/config.js";
import type { Store } from "../store/store.js";
import {
  DEFAULT_VALUES,
  type Limits,
  limitsOf,
  overridesOf,
  SETTING_NAMES,
  type Values,
  valueProblem,
  valuesOf,
} from "./settings.js";

export type ValueSource = "default" | "server" | "database";

export interface CurrentConfig extends Limits {
  /** 0 before the first change. */
  readonly version: number;
  readonly updatedAtUs: number;
  /** By name of each setting. */
  readonly sources: Readonly<Record<string, ValueSource>>;
}

export interface ConfigUpdate {
  /** New values, by name of the setting. */
  readonly set: Readonly<Values>;
  /** Names of settings that the database shall have no value for. */
  readonly reset: readonly string[];
  /** Null: whatever it is. */
  readonly expectedVersion: number | null;
  readonly author: string;
  readonly comment: string;
}

/** How often a change is made again because another server made one in the same moment. */
const UPDATE_TRIES = 8;

export class CentralConfig {
  readonly #store: Store;
  readonly #clock: Clock;
  #own: Values;
  readonly #listeners = new Set<() => void>();
  #updates: Promise<unknown> = Promise.resolve();
  #row: ConfigRow | undefined;
  #current: CurrentConfig;
  #loaded = false;

  /** @param own what this server is configured with */
  constructor(store: Store, clock: Clock, own: Limits) {
    this.#store = store;
    this.#clock = clock;
    this.#own = valuesOf(own);
    this.#current = this.#effective(undefined);
  }

  /** As far as this server knows. */
  get current(): CurrentConfig {
    return this.#current;
  }

  /** Takes over what this server is configured with from now on. */
  setOwn(own: Limits): void {
    const values = valuesOf(own);
    if (SETTING_NAMES.every((name) => values[name] === this.#own[name])) return;
    this.#own = values;
    this.#change(this.#row);
  }

  /** Calls `listener` after each change. Returns what removes it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The limits, from the database the first time. @throws StoreError */
  async get(): Promise<CurrentConfig> {
    if (!this.#loaded) await this.refresh();
    return this.#current;
  }

  /** @throws StoreError */
  async refresh(): Promise<void> {
    const before = this.#row;
    const row = await this.#store.reads.newestConfig();
    // What was changed here meanwhile is newer than what was read. Versions alone do not tell: a restored database is older.
    if (this.#row === before) this.#adopt(row);
    this.#loaded = true;
  }

  /** Until aborted: looks whether another server has changed something. */
  async keep(signal: AbortSignal, isUp: () => boolean): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(CONFIG_POLL_MS, signal);
      // A store that is away is its keeper's business, and the next look comes soon.
      if (!signal.aborted && isUp()) await this.refresh().catch(() => undefined);
    }
  }

  /** @throws RpcError, StoreError */
  async update(update: ConfigUpdate): Promise<CurrentConfig> {
    check(update);
    // One after the other: then only other servers can come first, and never many times in a row.
    const updated = this.#updates.then(() => this.#update(update));
    this.#updates = updated.catch(() => undefined);
    return updated;
  }

  async #update(update: ConfigUpdate): Promise<CurrentConfig> {
    const { expectedVersion, author, comment } = update;
    for (let tried = 0; tried < UPDATE_TRIES; tried++) {
      const row = await this.#store.reads.newestConfig();
      const version = row?.version ?? 0;
      if (expectedVersion !== null && expectedVersion !== version) throw mismatch(version);
      const before = JSON.parse(row?.overridesJson ?? "{}") as Values;
      const after = { ...before, ...update.set };
      for (const name of update.reset) delete after[name];
      this.#checkRelations(after);
      const changes = changesBetween(before, after);
      if (Object.keys(changes).length === 0) {
        this.#adoptNewer(row);
        return this.#effective(row);
      }
      const next: ConfigRow = {
        version: version + 1,
        createdAtUs: this.#clock.nowUs(),
        author,
        comment,
        changesJson: JSON.stringify(changes),
        overridesJson: JSON.stringify(after),
      };
      const outcome = await this.#store.config.append(next);
      if (outcome.kind === "written") {
        this.#adoptNewer(next);
        return this.#effective(next);
      }
      if (expectedVersion !== null) throw mismatch(outcome.version);
    }
    throw new RpcError("VERSION_MISMATCH", "expected_version: others keep changing the configuration; try again");
  }

  #checkRelations(overrides: Values): void {
    const { scalingBase, scalingMax } = limitsOf({ ...this.#own, ...overrides }).actionLimits;
    if (scalingBase <= scalingMax) return;
    throw badField("actionLimits.scalingBase", `is ${scalingBase}; use at most scalingMax, which is ${scalingMax}`);
  }

  #adoptNewer(row: ConfigRow | undefined): void {
    if ((row?.version ?? 0) > (this.#row?.version ?? 0)) this.#adopt(row);
  }

  #adopt(row: ConfigRow | undefined): void {
    const isSame = row?.version === this.#row?.version && row?.overridesJson === this.#row?.overridesJson;
    if (!isSame) this.#change(row);
  }

  #change(row: ConfigRow | undefined): void {
    this.#row = row;
    this.#current = this.#effective(row);
    for (const listener of this.#listeners) listener();
  }

  #effective(row: ConfigRow | undefined): CurrentConfig {
    const overrides = row === undefined ? {} : overridesOf(row.overridesJson);
    const source = (name: string): ValueSource => {
      if (overrides[name] !== undefined) return "database";
      return this.#own[name] === DEFAULT_VALUES[name] ? "default" : "server";
    };
    return {
      version: row?.version ?? 0,
      updatedAtUs: row?.createdAtUs ?? 0,
      ...limitsOf({ ...this.#own, ...overrides }),
      sources: Object.fromEntries(SETTING_NAMES.map((name) => [name, source(name)])),
    };
  }
}

function check({ set, reset }: ConfigUpdate): void {
  for (const [name, value] of Object.entries(set)) {
    const problem = valueProblem(name, value);
    if (problem !== undefined) throw badField(name, problem);
  }
  for (const [at, name] of reset.entries()) {
    const shown = name.slice(0, 64);
    if (!SETTING_NAMES.includes(name)) {
      throw badField(`reset[${at}]`, `there is no setting ${shown}; use one of ${SETTING_NAMES.join(", ")}`);
    }
    if (Object.hasOwn(set, name)) throw badField(`reset[${at}]`, `${shown} is set in the same request; do one of both`);
  }
}

function changesBetween(before: Values, after: Values): Record<string, { before?: number; after?: number }> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const changed = [...names].filter((name) => before[name] !== after[name]).sort();
  // JSON leaves out what is undefined.
  return Object.fromEntries(
    changed.map((name) => [name, { before: before[name], after: after[name] } as { before?: number; after?: number }]),
  );
}

function mismatch(version: number): RpcError {
  const message = `expected_version: the configuration has version ${version}; read it again, and decide anew`;
  return new RpcError("VERSION_MISMATCH", message);
}
