/** What stands below a time axis: the clock at every mark, and the day below the first and wherever a new one begins. */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const FRACTIONS = new Intl.DateTimeFormat(undefined, { second: "2-digit", fractionalSecondDigits: 3 });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const YEAR = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });

/** Pixels between marks at least, so that no two texts touch. */
export const TIME_MARK_SPACE = 90;

/** @param seconds since 1970, rising */
export function timeMarks(seconds: readonly number[]): string[] {
  const step = (seconds[1] ?? 0) - (seconds[0] ?? 0);
  if (step >= 86_400) return seconds.map((at) => YEAR.format(at * 1_000));
  const clock = step >= 60 ? CLOCK : step >= 1 ? SECONDS : FRACTIONS;
  let day = "";
  return seconds.map((at) => {
    const before = day;
    day = DAY.format(at * 1_000);
    return day === before ? clock.format(at * 1_000) : `${clock.format(at * 1_000)}\n${day}`;
  });
}
