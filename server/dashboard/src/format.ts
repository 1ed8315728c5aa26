/** Figures and times as people read them. */

const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const FINE = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });

export const whole = (value: number): string => WHOLE.format(value);

/** A rate or a large count: `12.3K`. */
export const short = (value: number): string => SHORT.format(value >= 10 ? Math.round(value) : value);

/** A measured value. */
export const fine = (value: number): string => FINE.format(value);

export function bytes(value: number): string {
  if (value < 1_024) return `${Math.round(value)} B`;
  if (value < 1_048_576) return `${(value / 1_024).toFixed(0)} KiB`;
  if (value < 1_073_741_824) return `${(value / 1_048_576).toFixed(1)} MiB`;
  return `${(value / 1_073_741_824).toFixed(1)} GiB`;
}

const STEPS: readonly [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** `4 min`, `2 h`, `now`: the largest unit only. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  for (const [size, unit] of STEPS) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return "a moment";
}

export const ago = (ms: number): string => `${duration(Math.max(0, ms))} ago`;

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export const clock = (us: number): string => CLOCK.format(us / 1_000);
export const date = (us: number): string => DATE.format(us / 1_000);

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}
