/**
 * What is to be done to one document when the server is back: first a replacement (a new value, or its deletion), then
 * increments. Kept in one file, and in memory by whoever owns the file.
 */

import { type Amounts, addAmounts, addToText } from "./counts.js";
import { digestOf } from "./values.js";

/** A document as the database had it. Version 0: there was none, or none was known. */
export interface Base {
  readonly version: number;
  /** Microseconds since 1970. A document that was deleted and written again may have an old version, but not its time. */
  readonly updatedAtUs: number;
  /** Its value as JSON text; undefined if it was none or is not known. */
  readonly text: string | undefined;
}

/** Something that was sent, expecting the base's version, and whose answer was lost. */
export type Attempt =
  | { readonly kind: "value"; readonly digest: string }
  | { readonly kind: "count"; readonly writer: string; readonly seq: number };

export interface Replacement {
  /** JSON text; undefined: the document is deleted. */
  readonly text: string | undefined;
  readonly base: Base;
  readonly attempts: readonly Attempt[];
}

/** Increments under one number of their writer. */
export interface CountBatch {
  readonly seq: number;
  readonly by: Amounts;
}

/** A batch that was sent, or is about to be: nothing is added to it any more. */
export interface SealedBatch extends CountBatch {
  /** The version that the last attempt expected; undefined if there was none. */
  readonly attemptedVersion: number | undefined;
}

export interface Pending {
  readonly name: string;
  /** Whose increments these are: the marker in the document knows them by it. */
  readonly writer: string;
  /** Microseconds since 1970; orders what several processes left. */
  readonly madeAtUs: number;
  /** Writers whose pending files this one replaces. */
  readonly supersedes: readonly string[];
  readonly replacement: Replacement | undefined;
  readonly sealed: SealedBatch | undefined;
  /** Takes further increments. */
  readonly open: CountBatch | undefined;
}

export function isDone(pending: Pending): boolean {
  return pending.replacement === undefined && pending.sealed === undefined && pending.open === undefined;
}

/** The document's text after everything pending, in order; undefined: there is none. */
export function viewOf(text: string | undefined, pendings: readonly Pending[]): string | undefined {
  let view = text;
  for (const { replacement, sealed, open } of pendings) {
    if (replacement !== undefined) view = replacement.text;
    for (const batch of [sealed, open]) {
      if (batch === undefined) continue;
      try {
        view = addToText(view, batch.by);
      } catch {
        // What cannot be counted here is told when it is reconciled.
      }
    }
  }
  return view;
}

/**
 * One pending with a new replacement instead of everything before it. What was sent and not answered is remembered, so
 * that it is not mistaken for somebody else's change.
 */
export function replaced(pendings: readonly Pending[], own: Pending, text: string | undefined, known: Base): Pending {
  const first = pendings.find(({ replacement }) => replacement !== undefined)?.replacement;
  const sent = pendings.flatMap(({ writer, sealed }) =>
    sealed?.attemptedVersion === undefined ? [] : [{ writer, seq: sealed.seq, version: sealed.attemptedVersion }],
  );
  const sentVersion = Math.max(0, ...sent.map(({ version }) => version));
  let base = first?.base ?? known;
  if (sentVersion > base.version) base = { version: sentVersion, updatedAtUs: 0, text: undefined };
  const attempts: Attempt[] = pendings.flatMap(({ replacement }) => replacement?.attempts ?? []);
  for (const { writer, seq } of sent) attempts.push({ kind: "count", writer, seq });
  const supersedes = new Set([...own.supersedes, ...pendings.flatMap((each) => [each.writer, ...each.supersedes])]);
  supersedes.delete(own.writer);
  return {
    ...own,
    supersedes: [...supersedes],
    replacement: { text, base, attempts },
    sealed: undefined,
    open: undefined,
  };
}

/** The same with more increments. @param nextSeq Numbers a batch that has to be opened. */
export function counted(pending: Pending, by: Amounts, nextSeq: () => number): Pending {
  const sum = new Map(pending.open?.by);
  addAmounts(sum, by);
  return { ...pending, open: { seq: pending.open?.seq ?? nextSeq(), by: sum } };
}

/** The same, where this value was sent and not answered. */
export function attempted(replacement: Replacement): Replacement {
  const attempt: Attempt = { kind: "value", digest: digestOf(replacement.text) };
  return { ...replacement, attempts: [...replacement.attempts, attempt].slice(-ATTEMPTS_KEPT) };
}

/** All of them expected the same version, so that one succeeded at most; the newest are likelier. */
const ATTEMPTS_KEPT = 8;

/** What it weighs, in bytes: its values as JSON text. */
export function weightOf(pending: Pending): number {
  const { replacement, sealed, open } = pending;
  const texts = Buffer.byteLength(replacement?.text ?? "") + Buffer.byteLength(replacement?.base.text ?? "");
  return texts + 64 * ((sealed?.by.size ?? 0) + (open?.by.size ?? 0));
}

/** JSON text for its file. */
export function pendingText(pending: Pending): string {
  const { name, writer, madeAtUs, supersedes, replacement, sealed, open } = pending;
  const batch = (each: SealedBatch | CountBatch | undefined) => each && { ...each, by: [...each.by] };
  return JSON.stringify({
    format: FORMAT,
    name,
    writer,
    madeAtUs,
    supersedes,
    replacement: replacement && { ...replacement, text: replacement.text ?? null },
    sealed: batch(sealed),
    open: batch(open),
  });
}

/** Throws an Error whose message is the end of a sentence that begins with the file. */
export function readPending(body: string): Pending {
  const file = JSON.parse(body) as PendingFile;
  if (file.format !== FORMAT) throw new Error(`has format ${String(file.format)}, which this version does not know`);
  const { replacement, sealed, open } = file;
  return {
    name: file.name,
    writer: file.writer,
    madeAtUs: file.madeAtUs,
    supersedes: file.supersedes,
    replacement: replacement && {
      ...replacement,
      text: replacement.text ?? undefined,
      base: { ...NOTHING_KNOWN, ...replacement.base },
    },
    sealed: sealed && { seq: sealed.seq, by: new Map(sealed.by), attemptedVersion: sealed.attemptedVersion },
    open: open && { seq: open.seq, by: new Map(open.by) },
  };
}

export const NOTHING_KNOWN: Base = Object.freeze({ version: 0, updatedAtUs: 0, text: undefined });

const FORMAT = 1;

interface PendingFile {
  readonly format: number;
  readonly name: string;
  readonly writer: string;
  readonly madeAtUs: number;
  readonly supersedes: readonly string[];
  readonly replacement?: Omit<Replacement, "text" | "base"> & {
    readonly text: string | null;
    readonly base: Partial<Base>;
  };
  readonly sealed?: BatchFile & { readonly attemptedVersion?: number };
  readonly open?: BatchFile;
}

interface BatchFile {
  readonly seq: number;
  readonly by: readonly (readonly [string, number])[];
}
