/** A campaign of mixed faults as people read it. */
import type { MixOptions, MixResult } from "./campaign.js";
import type { FaultKind } from "./fault.js";
import type { RoundResult } from "./round.js";
import { scheduleText } from "./schedule.js";

const VIOLATIONS_SHOWN_MAX = 40;
const MIB = 2 ** 20;

export function mixRoundLine({ schedule, records, resumes, seconds, violations }: RoundResult): string {
  const names = schedule.faults.map(({ kind }) => `${kind.number} ${kind.name}`).join(", ");
  const slowest = Math.max(0, ...resumes.map(({ ms }) => ms)).toFixed(0);
  const verdict = violations.length === 0 ? "ok" : `${violations.length} VIOLATIONS`;
  return `round ${schedule.round}: ${names}; ${records} records, resumed in ${slowest} ms, ${seconds.toFixed(1)} s: ${verdict}`;
}

export function mixTable({ rounds, missing, engine, seconds }: MixResult): string {
  const kinds = [...new Set(rounds.flatMap(({ schedule }) => schedule.faults.map(({ kind }) => kind)))];
  kinds.sort((a, b) => a.number - b.number);
  const lines = [
    `| fault, on ${engine} | injected | violations in its rounds | resume p50 | resume max |`,
    "| --- | ---: | ---: | ---: | ---: |",
    ...kinds.map((kind) => row(kind, rounds)),
    "",
    ...missing.map(({ kind, reason }) => `NOT injected: ${kind.number} ${kind.name}: ${reason}`),
    totals(rounds, seconds),
  ];
  return lines.join("\n");
}

function row(kind: FaultKind, rounds: readonly RoundResult[]): string {
  const own = rounds.filter(({ schedule }) => schedule.faults.some((fault) => fault.kind === kind));
  const violations = own.reduce((sum, round) => sum + round.violations.length, 0);
  const resumed = own.flatMap(({ resumes }) => resumes.filter((each) => each.kind === kind).map(({ ms }) => ms));
  const { median, max } = spread(resumed);
  return `| ${kind.number} ${kind.name} | ${own.length} | ${violations} | ${median.toFixed(0)} ms | ${max.toFixed(0)} ms |`;
}

function totals(rounds: readonly RoundResult[], seconds: number): string {
  const sum = (of: (round: RoundResult) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const readings = rounds.flatMap((round) => round.readings);
  const p999 = spread(readings.map(({ appendP999Us }) => appendP999Us));
  const stall = spread(readings.map(({ stallMsMax }) => stallMsMax));
  const resident = Math.max(0, ...rounds.map(({ residentBytesMax }) => residentBytesMax)) / MIB;
  return [
    `${rounds.length} rounds in ${seconds.toFixed(0)} s, ${sum(({ schedule }) => schedule.faults.length)} faults, `,
    `${sum(({ records }) => records).toLocaleString("en")} records of raw trainers, `,
    `${sum(({ violations }) => violations.length)} violations. Server: at most ${resident.toFixed(0)} MiB resident. `,
    `${readings.length} recorder trainers of 1,000 records and more: `,
    `${readings.reduce((total, { dropped }) => total + dropped, 0).toLocaleString("en")} records declared lost, append p99.9 ${p999.median.toFixed(0)} µs at the median, `,
    `${p999.max.toFixed(0)} µs at most; longest stall of an event loop ${stall.median.toFixed(0)} ms at the median, `,
    `${stall.max.toFixed(0)} ms at most.`,
  ].join("");
}

function spread(values: number[]): { median: number; max: number } {
  values.sort((a, b) => a - b);
  return { median: values[Math.floor(values.length / 2)] ?? 0, max: values.at(-1) ?? 0 };
}

/** What is wrong, what had happened, and how to see it again. */
export function mixFailureText(
  { store, only, seed, isTour }: MixOptions,
  { schedule, violations }: RoundResult,
): string {
  const onlyText = only === undefined ? "" : ` --only ${only.join(",")}`;
  const tourText = isTour === true ? " --tour" : "";
  return [
    ...violations
      .slice(0, VIOLATIONS_SHOWN_MAX)
      .map(({ invariant, subject, detail }) => `${invariant}  ${subject}  ${detail}`),
    "the schedule:",
    scheduleText(schedule),
    `replay: npm run faults -- --store ${store} --seed ${seed} --first-round ${schedule.round} --rounds 1${onlyText}${tourText}`,
    "shrink: the same with --shrink",
  ].join("\n");
}
