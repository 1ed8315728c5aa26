/** A campaign as people read it. */
import type { CampaignOptions, CampaignResult } from "./campaign.js";
import type { RoundResult } from "./round.js";

const VIOLATIONS_SHOWN_MAX = 40;

export function roundLine({ plan, kills, killsBeforeAck, records, acked, resumeMs, violations }: RoundResult): string {
  const resumed = resumeMs.map((ms) => `${ms.toFixed(0)} ms`).join(", ");
  const verdict = violations.length === 0 ? "ok" : `${violations.length} VIOLATIONS`;
  return (
    `round ${plan.round}: ${plan.streams.length} streams, ${records} records, ${acked} acked, ${kills} kills ` +
    `(${killsBeforeAck} between commit and ack), resumed after ${resumed}: ${verdict}`
  );
}

export const TABLE_HEAD = [
  "| store | killed | rounds | kills | under load | between commit and ack | records | acked | violations | resume p50 | resume max | time |",
  "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
].join("\n");

export function tableRow({ kill }: Pick<CampaignOptions, "kill">, result: CampaignResult): string {
  const sum = (of: (round: RoundResult) => number) => result.rounds.reduce((total, round) => total + of(round), 0);
  const resumed = result.rounds.flatMap((round) => round.resumeMs).sort((a, b) => a - b);
  const median = resumed[Math.floor(resumed.length / 2)] ?? 0;
  const cells = [
    result.engine,
    kill,
    result.rounds.length,
    sum((round) => round.kills),
    sum((round) => round.killsUnderLoad),
    kill === "server" ? sum((round) => round.killsBeforeAck) : `${sum((round) => round.killsAtCommit)} at commit`,
    sum((round) => round.records).toLocaleString("en"),
    sum((round) => round.acked).toLocaleString("en"),
    result.violations.length,
    `${median.toFixed(0)} ms`,
    `${(resumed.at(-1) ?? 0).toFixed(0)} ms`,
    `${result.seconds.toFixed(0)} s`,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** What is wrong, and how to see it again. */
export function failureText(options: CampaignOptions, result: CampaignResult): string {
  const round = result.rounds.find((each) => each.violations.length > 0)?.plan.round;
  const rounds = round === undefined ? `--rounds ${options.rounds}` : `--first-round ${round} --rounds 1`;
  const lines = result.violations
    .slice(0, VIOLATIONS_SHOWN_MAX)
    .map(({ invariant, subject, detail }) => `${invariant}  ${subject}  ${detail}`);
  return [
    ...lines,
    `replay: npm run faults -- --store ${options.store} --kill ${options.kill} --seed ${options.seed} ${rounds}`,
  ].join("\n");
}
