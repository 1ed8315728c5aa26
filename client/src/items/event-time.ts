/** Above this a number is taken for milliseconds: as seconds it would be the year 5138. */
const SECONDS_MAX = 1e11;

/** When an item says that it happened, in microseconds since 1970; undefined if it does not, or not in a known form. */
export function itemTimeUs(eventTimeUs: unknown, timestamp: unknown): number | undefined {
  if (typeof eventTimeUs === "number") return Number.isFinite(eventTimeUs) ? eventTimeUs : undefined;
  if (timestamp === undefined) return undefined;
  let ms: number;
  if (typeof timestamp === "number") ms = Math.abs(timestamp) > SECONDS_MAX ? timestamp : timestamp * 1_000;
  else if (timestamp instanceof Date) ms = timestamp.getTime();
  else if (typeof timestamp === "string") ms = Date.parse(timestamp);
  else return undefined;
  const us = Math.round(ms * 1_000);
  return Number.isSafeInteger(us) ? us : undefined;
}
