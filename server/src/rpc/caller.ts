/** Who calls, as far as the services need to know. */

export interface Caller {
  /** Everything it does is done in this one. */
  readonly namespace: string;
  /** Undefined where no key is needed and none was sent. */
  readonly keyId: string | undefined;
  /** Aborted when its right to call has ended, with the RpcError for its open calls as the reason. */
  readonly ended: AbortSignal;
  readonly quota: Quota;
}

/** What all callers with one key may take together from this server. */
export interface Quota {
  /** Counts an open stream; false where the key has as many as it may. */
  openStream(): boolean;
  closeStream(): void;
  /** Milliseconds until more may be taken; 0: now. */
  waitMs(): number;
  /** Counts what was taken. Always possible, however much: what is above the rate is waited for before the next. */
  take(bytes: number, records: number): void;
}

/** For callers without a key, and tests. */
export const NO_QUOTA: Quota = {
  openStream: () => true,
  closeStream: () => undefined,
  waitMs: () => 0,
  take: () => undefined,
};
