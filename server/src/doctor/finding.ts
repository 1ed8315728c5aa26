/** What a check found, and what to do about it. */

export type Level = "ok" | "warning" | "error";

export interface Finding {
  /** What was looked at. */
  readonly check: string;
  readonly level: Level;
  readonly message: string;
  /** What to do; undefined where all is well. */
  readonly remedy: string | undefined;
}

export function ok(check: string, message: string): Finding {
  return { check, level: "ok", message, remedy: undefined };
}

export function warning(check: string, message: string, remedy: string): Finding {
  return { check, level: "warning", message, remedy };
}

export function error(check: string, message: string, remedy: string): Finding {
  return { check, level: "error", message, remedy };
}
