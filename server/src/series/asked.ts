/** What of a stream's summary a question is about. */
import { type SeriesQuestion, seriesOf } from "./question.js";
import type { Keep, SeriesStream } from "./streams.js";
import type { GroupSummary, StreamSummary } from "./summary.js";

export interface Asked {
  readonly groups: readonly GroupSummary[];
  /** Games that are summed up by themselves, where there are others that are summed up together; else undefined. */
  readonly named: ReadonlySet<string> | undefined;
  /** Which part of the stream's numbers are records of the type, where some of them are other groups'; else 0. */
  readonly typeShare: number;
}

export function askedOf(question: SeriesQuestion): Keep<Asked> {
  return {
    of: (stream) => asked(stream, question),
    nothing: { groups: [], named: undefined, typeShare: 0 },
    size: ({ groups, named }) => groups.length + (named?.size ?? 0),
  };
}

function asked({ summary, rolledSeq }: SeriesStream<StreamSummary>, question: SeriesQuestion): Asked {
  const { table, gameId } = question;
  const ofType = summary.groups.filter((group) => group.table === table.index);
  const names = [...seriesOf(question)];
  const records = ofType.reduce((sum, group) => sum + group.records, 0);
  return {
    groups: ofType
      .filter((group) => gameId === undefined || group.gameId === gameId)
      .map((group) => ({
        ...group,
        totals: new Map(
          names.flatMap((name) => {
            const totals = group.totals.get(name);
            return totals === undefined ? [] : [[name, totals] as const];
          }),
        ),
      })),
    named: ofType.some((group) => group.gameId === "") ? new Set(ofType.map((group) => group.gameId)) : undefined,
    typeShare: ofType.length > 1 ? Math.min(1, records / rolledSeq) : 0,
  };
}
