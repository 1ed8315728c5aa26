/**
 * Who owns a pending file, and whether it lives.
 *
 * Each state store is an owner of its own, with a file in `owners/` that says where it runs. On the same machine a
 * process is looked up by its number and start time, which is exact. Elsewhere (another machine or container on a
 * shared folder, or a system that does not tell start times) an owner shows itself by touching its file; one that was
 * not seen to do so for a minute, by the watcher's own clock, counts as dead.
 */

import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { STATE_OWNER_SILENCE_MS } from "../limits.js";

/** What an owner's file says. */
export interface OwnerRecord {
  /** Machine, boot and process namespace: process numbers mean the same only where all are equal. */
  readonly place: string;
  readonly pid: number;
  /** When the process started, in the system's own unit; empty where it does not tell. */
  readonly startedAt: string;
}

const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 16;
export const OWNER_ID = /^[a-z2-7]{16}$/;

/** 80 random bits as 16 letters and digits. */
export function newOwnerId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join("");
}

export function ownRecord(): OwnerRecord {
  return { place: thisPlace(), pid: process.pid, startedAt: startOf(process.pid) ?? "" };
}

export function readOwnerRecord(text: string): OwnerRecord | undefined {
  try {
    const { place, pid, startedAt } = JSON.parse(text) as Partial<OwnerRecord>;
    if (typeof place !== "string" || !Number.isSafeInteger(pid) || typeof startedAt !== "string") return undefined;
    return { place, pid: pid as number, startedAt };
  } catch {
    return undefined;
  }
}

/** Watches other owners for their silence. */
export class OwnerWatch {
  readonly #place = thisPlace();
  readonly #nowMs: () => number;
  readonly #seen = new Map<string, { touchedAtMs: number; sinceMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param touchedAtMs When its file was touched, by whatever clock: only that it changes matters. */
  isAlive(id: string, record: OwnerRecord | undefined, touchedAtMs: number): boolean {
    if (record?.place === this.#place) {
      const startedAt = startOf(record.pid);
      if (startedAt === undefined) return false;
      if (startedAt !== "" && record.startedAt !== "") return startedAt === record.startedAt;
    }
    const seen = this.#seen.get(id);
    if (seen === undefined || seen.touchedAtMs !== touchedAtMs) {
      this.#seen.set(id, { touchedAtMs, sinceMs: this.#nowMs() });
      return true;
    }
    return this.#nowMs() - seen.sinceMs < STATE_OWNER_SILENCE_MS;
  }

  /** Keeps nothing of owners that are gone. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }
}

/** Undefined: there is no such process. Empty: there is one, and the system does not tell since when. */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    if (stat !== "") {
      // The second field is the command in brackets, and may hold anything.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const state = fields[0];
      // A zombie writes nothing any more.
      return state === "Z" || state === "X" ? undefined : fields[19];
    }
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    // EPERM: it exists, and is somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM" ? "" : undefined;
  }
}

function thisPlace(): string {
  return [hostname(), readOrEmpty("/proc/sys/kernel/random/boot_id").trim(), processNamespace()].join("/");
}

function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
