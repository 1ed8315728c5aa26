/** Times: microseconds since 1970 in memory and on the wire, `YYYY-MM-DD HH:MM:SS.ffffff` UTC in the tables. */

const DAY_MS = 86_400_000;

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

// Records of one batch mostly fall into the same second, so the text up to the second is worth keeping.
let lastSecond = Number.NaN;
let lastSecondText = "";

/** Text of a time, 26 characters. `us` is a safe integer, so its year has four digits (1684 to 2255). */
export function timestampText(us: number): string {
  const second = Math.floor(us / 1_000_000);
  if (second !== lastSecond) {
    lastSecondText = `${new Date(second * 1_000).toISOString().slice(0, 19).replace("T", " ")}.`;
    lastSecond = second;
  }
  return lastSecondText + pad(us - second * 1_000_000, 6);
}

/** The time of a text that `timestampText` or a DATETIME(6) column gave; fewer digits after the dot are fine. */
export function timestampUs(text: string): number {
  const second = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`);
  if (Number.isNaN(second)) throw new Error(`not a timestamp: ${text}`);
  return second * 1_000 + Number(text.slice(20, 26).padEnd(6, "0") || "0");
}

/** A day as text, from days since 1970. */
export function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Days since 1970 of a text `YYYY-MM-DD`. */
export function dayNumber(text: string): number {
  return Math.floor(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
}

/** Days since 1970, UTC, of a time in milliseconds. */
export function dayOfMs(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Microseconds since 1970, now, by the host's clock. Time is data: nothing is ever ordered by it. */
export function nowUs(): number {
  return Date.now() * 1_000;
}
