/** How long a running session has been quiet, and from when on that is worth a look. */
import { useState } from "preact/hooks";
import type { LiveState } from "./live/live-state.js";
import { RUNNING, type Session } from "./model.js";

const KEY = "tailkeep-quiet-minutes";
export const QUIET_MINUTES = [1, 2, 5, 15, 60] as const;
const DEFAULT_MINUTES = 2;

export function useQuietMinutes(): [number, (minutes: number) => void] {
  const [minutes, setMinutes] = useState(() => Number(localStorage.getItem(KEY)) || DEFAULT_MINUTES);
  const change = (value: number) => {
    localStorage.setItem(KEY, String(value));
    setMinutes(value);
  };
  return [minutes, change];
}

/** When a session was last written: to the second where this server saw it, else to a minute as the database knows it. */
export function lastWrittenMs(session: Session, { activity }: Pick<LiveState, "activity">): number {
  const seen = activity.get(session.sessionId);
  if (seen !== undefined && seen.committedAtUs > 0) return seen.committedAtUs / 1_000;
  // An open stream keeps a session from looking lost, but nothing came through it since it was opened here.
  if (seen !== undefined && seen.openedAtUs > 0) return Math.min(seen.openedAtUs, session.lastSeenAtUs) / 1_000;
  return session.lastSeenAtUs / 1_000;
}

/** @param nowMs the server's clock */
export function isQuiet(session: Session, state: LiveState, nowMs: number, minutes: number): boolean {
  return session.state === RUNNING && nowMs - lastWrittenMs(session, state) > minutes * 60_000;
}

/** The server's clock: that of its last line, which comes every second. This machine's until the server was heard. */
export const nowMsOf = ({ now }: Pick<LiveState, "now">): number => now?.atMs ?? Date.now();
