/**
 * The live keys, in memory: judged here at every call, and read from the database when its version moves.
 *
 * States of the door: unknown (nothing read yet, nobody comes in) -> open (the database never had a key) -> closed. It
 * opens again only where the database was replaced by one without keys.
 */
import type { Clock } from "../base/clock.js";
import { KEYS_POLL_MS, KEYS_READ_MAX, RETRY_DELAY_MS_MAX, STARTING_RETRY_AFTER_MS } from "../limits.js";
import { type Caller, NO_QUOTA } from "../rpc/caller.js";
import { RpcError } from "../rpc/errors.js";
import type { KeyRow, KeysVersion } from "../store/api-keys.js";
import { DEFAULT_NAMESPACE } from "../store/schema.js";
import type { Store } from "../store/store.js";
import { KeyQuota, limitsOf } from "./key-quota.js";
import { type Role, rolesOf } from "./permissions.js";
import { hashOf, parseToken, sameHash } from "./secret.js";

/** A caller, and what it may. */
export interface KnownCaller extends Caller {
  readonly roles: readonly Role[];
}

/** One secret of a key: the current one, or the one before the last rotation. */
interface Credential {
  readonly hash: Buffer;
  readonly end: AbortController;
  readonly caller: KnownCaller;
}

interface Entry {
  row: KeyRow;
  readonly quota: KeyQuota;
  current: Credential;
  previous: Credential | undefined;
}

function badKey(): RpcError {
  return new RpcError(
    "BAD_KEY",
    "authorization: the key is malformed, unknown, revoked or expired; ask an admin of your namespace for another",
  );
}

function keyEnded(): RpcError {
  return new RpcError("BAD_KEY", "the key that this call was made with was revoked, or has expired");
}

function secretEnded(): RpcError {
  return new RpcError("SECRET_ROTATED", "the secret that this call was made with was rotated out; use the new one");
}

function doorClosed(): RpcError {
  return new RpcError("NO_KEY", "authorization: since a key was made, callers need one; set TAILKEEP_API_KEY");
}

function noKey(): RpcError {
  return new RpcError("NO_KEY", "authorization: a key is needed; set TAILKEEP_API_KEY or TAILKEEP_API_KEY_FILE");
}

/** Of no key at all, so that an unknown id takes as long as a known one. */
const NO_HASH = Buffer.alloc(32);

export class KeyDirectory {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #alwaysRequired: boolean;
  readonly #entries = new Map<string, Entry>();
  #anyone: { end: AbortController; caller: KnownCaller } | undefined;
  #version: KeysVersion | undefined;
  #refreshing: Promise<void> = Promise.resolve();

  /** @param alwaysRequired whether callers need a key although the database has none */
  constructor(store: Store, clock: Clock, alwaysRequired: boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#alwaysRequired = alwaysRequired;
  }

  /** Whether callers need a key, as far as it is known. */
  get required(): boolean {
    return this.#alwaysRequired || this.#version === undefined || this.#version.keys > 0;
  }

  get liveCount(): number {
    return this.#entries.size;
  }

  /** Whether the database has said once which keys there are; before that nobody comes in. */
  get loaded(): boolean {
    return this.#version !== undefined;
  }

  /** @param authorization every value of the header @throws RpcError where it is nobody's */
  identify(authorization: readonly (string | Buffer)[]): KnownCaller {
    if (this.#version === undefined) {
      throw new RpcError("STORE_UNAVAILABLE", "the store has not answered yet; try again", {
        retryAfterMs: STARTING_RETRY_AFTER_MS,
      });
    }
    const [header] = authorization;
    if (header === undefined) {
      if (this.#anyone === undefined) throw noKey();
      return this.#anyone.caller;
    }
    const token = /^Bearer +(\S+)$/i.exec(String(header))?.[1];
    const parsed = token === undefined || authorization.length > 1 ? undefined : parseToken(token);
    if (parsed === undefined) throw badKey();
    const entry = this.#entries.get(parsed.keyId);
    const hash = hashOf(parsed.secret);
    if (entry !== undefined) this.#sweepOne(entry);
    for (const credential of [entry?.current, entry?.previous]) {
      const isSame = sameHash(hash, credential?.hash ?? NO_HASH);
      if (isSame && credential !== undefined && !credential.end.signal.aborted) return credential.caller;
    }
    throw badKey();
  }

  /** Reads the keys again, if they changed: everything written before the call is known after it. @throws StoreError */
  refresh(): Promise<void> {
    // One after the other, so that an older reading never replaces a newer one.
    const refreshed = this.#refreshing.catch(() => undefined).then(() => this.#refresh());
    this.#refreshing = refreshed;
    return refreshed;
  }

  /** Until the keys were read once, or aborted. */
  async loadFirst(signal: AbortSignal): Promise<void> {
    while (!this.loaded && !signal.aborted) {
      await this.refresh().catch(() => undefined);
      if (!this.loaded) await this.#clock.sleep(RETRY_DELAY_MS_MAX * this.#clock.random(), signal);
    }
  }

  /** What is known may be of another database by now. */
  forgetVersion(): void {
    if (this.#version !== undefined) this.#version = { ...this.#version, changes: -1 };
  }

  /** Until aborted: looks for changes, and ends what has expired. */
  async keep(signal: AbortSignal, isUp: () => boolean): Promise<void> {
    let latestUs = 0;
    while (!signal.aborted) {
      const nowUs = this.#clock.nowUs();
      // A clock that was ahead is set back: what had expired by it may not have.
      if (nowUs < latestUs) this.forgetVersion();
      latestUs = nowUs;
      if (isUp()) await this.refresh().catch(() => undefined);
      for (const entry of this.#entries.values()) this.#sweepOne(entry);
      await this.#clock.sleep(KEYS_POLL_MS, signal);
    }
  }

  async #refresh(): Promise<void> {
    const version = await this.#store.reads.keysVersion();
    if (version.keys === this.#version?.keys && version.changes === this.#version.changes) return;
    const rows = version.keys === 0 ? [] : await this.#store.reads.liveKeys(this.#clock.nowUs(), KEYS_READ_MAX);
    this.#adopt(rows);
    // The version was read first: what changed meanwhile is read once more, and never missed.
    this.#version = version;
    this.#turnDoor();
  }

  #adopt(rows: readonly KeyRow[]): void {
    const live = new Set(rows.map((row) => row.keyId));
    for (const [keyId, entry] of this.#entries) {
      if (live.has(keyId)) continue;
      this.#entries.delete(keyId);
      this.#endKey(entry);
    }
    for (const row of rows) {
      const before = this.#entries.get(row.keyId);
      // A restored database may have another key under the same id.
      const isSame = before !== undefined && before.row.createdAtUs === row.createdAtUs;
      if (before !== undefined && !isSame) this.#endKey(before);
      this.#entries.set(row.keyId, this.#entry(row, isSame ? before : undefined));
    }
  }

  #entry(row: KeyRow, before: Entry | undefined): Entry {
    const quota = before?.quota ?? new KeyQuota(this.#clock, limitsOf(row));
    const known = [before?.current, before?.previous];
    const credential = (hex: string): Credential => {
      const hash = Buffer.from(hex, "hex");
      return (
        known.find((each) => each?.hash.equals(hash) && !each.end.signal.aborted) ?? newCredential(row, hash, quota)
      );
    };
    const current = credential(row.secretHash);
    const previous = row.previousHash === null ? undefined : credential(row.previousHash);
    for (const each of known) {
      if (each !== undefined && each !== current && each !== previous) each.end.abort(secretEnded());
    }
    return { row, quota, current, previous };
  }

  #sweepOne(entry: Entry): void {
    const nowUs = this.#clock.nowUs();
    const { keyId, expiresAtUs, previousUntilUs } = entry.row;
    if (expiresAtUs !== null && expiresAtUs <= nowUs) {
      this.#entries.delete(keyId);
      this.#endKey(entry);
    } else if (entry.previous !== undefined && (previousUntilUs ?? 0) <= nowUs) {
      entry.previous.end.abort(secretEnded());
      entry.previous = undefined;
    }
  }

  #endKey({ current, previous }: Entry): void {
    current.end.abort(keyEnded());
    previous?.end.abort(keyEnded());
  }

  #turnDoor(): void {
    if (this.required) {
      this.#anyone?.end.abort(doorClosed());
      this.#anyone = undefined;
    } else this.#anyone ??= anyone();
  }
}

function newCredential(row: KeyRow, hash: Buffer, quota: KeyQuota): Credential {
  const end = new AbortController();
  const { keyId, namespace } = row;
  return { hash, end, caller: { namespace, keyId, ended: end.signal, quota, roles: rolesOf(row.roles) } };
}

/** Whoever comes while no key was ever made. */
function anyone(): { end: AbortController; caller: KnownCaller } {
  const end = new AbortController();
  const caller = { namespace: DEFAULT_NAMESPACE, keyId: undefined, ended: end.signal, quota: NO_QUOTA };
  return { end, caller: { ...caller, roles: ["admin"] } };
}
