import { date, plural, whole } from "../format.js";
import { type Counts, type DeadLetter, GAP_CAUSES, type Gap, TYPE_NAMES } from "../model.js";
import { sessionHref } from "../route.js";
import { useAnswer } from "../use-answer.js";
import { Scroll } from "./scroll.js";

const SHOWN_MAX = 100;

interface Losses {
  gaps: Gap[];
  nextPageToken: string;
}

interface Letters {
  deadLetters: DeadLetter[];
  nextPageToken: string;
}

/** Gaps and dead letters, of one session or of all. Nothing where nothing was lost. */
export function LossTable({
  sessionId = "",
  counts,
  version,
}: {
  sessionId?: string;
  counts: Counts | undefined;
  version: number;
}) {
  const hasGaps = (counts?.gapped ?? 0) > 0;
  const hasLetters = (counts?.rejected ?? 0) > 0;
  const query = { session: sessionId, page_size: SHOWN_MAX };
  const asked = `${version} ${counts?.gapped} ${counts?.rejected}`;
  const gaps = useAnswer<Losses>(hasGaps ? "gaps" : undefined, query, asked);
  const letters = useAnswer<Letters>(hasLetters ? "dead-letters" : undefined, query, asked);
  if (!hasGaps && !hasLetters) return null;
  const isAll = sessionId === "";
  return (
    <section class="card" id="losses" tabIndex={-1} aria-labelledby="losses-title">
      <h2 id="losses-title">What was lost</h2>
      {hasGaps && (
        <Scroll label="Gaps">
          <table>
            <caption>
              {plural(counts?.gapped ?? 0, "record")} never reached the server
              {gaps.value?.nextPageToken ? `; the first ${SHOWN_MAX} gaps` : ""}
            </caption>
            <thead>
              <tr>
                {isAll && <th scope="col">Session</th>}
                <th scope="col" class="figure">
                  Records
                </th>
                <th scope="col">Type</th>
                <th scope="col">Why</th>
                <th scope="col">When it was told</th>
                <th scope="col" class="figure">
                  Numbers in the stream
                </th>
              </tr>
            </thead>
            <tbody>
              {gaps.value?.gaps.map((gap) => (
                <tr key={`${gap.sessionId} ${gap.streamId} ${gap.firstSeq}`}>
                  {isAll && <SessionCell id={gap.sessionId} />}
                  <td class="figure">{whole(gap.lastSeq - gap.firstSeq + 1)}</td>
                  <td>{TYPE_NAMES[gap.type] ?? "mixed"}</td>
                  <td>{GAP_CAUSES[gap.cause] ?? "unknown"}</td>
                  <td>{date(gap.createdAtUs)}</td>
                  <td class="figure">
                    {whole(gap.firstSeq)} to {whole(gap.lastSeq)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {hasLetters && (
        <Scroll label="Dead letters">
          <table>
            <caption>
              {plural(counts?.rejected ?? 0, "record")} could not be stored (dead letters)
              {letters.value?.nextPageToken ? "; the first are shown" : ""}
            </caption>
            <thead>
              <tr>
                {isAll && <th scope="col">Session</th>}
                <th scope="col">Type</th>
                <th scope="col">Field</th>
                <th scope="col">Reason</th>
                <th scope="col">When</th>
                <th scope="col" class="figure">
                  Number
                </th>
              </tr>
            </thead>
            <tbody>
              {letters.value?.deadLetters.map((letter) => (
                <tr key={`${letter.sessionId} ${letter.streamId} ${letter.rejection.seq}`}>
                  {isAll && <SessionCell id={letter.sessionId} />}
                  <td>{TYPE_NAMES[letter.type] ?? "unknown"}</td>
                  <td>
                    <code>{letter.rejection.field}</code>
                  </td>
                  <td>{letter.rejection.message}</td>
                  <td>{date(letter.createdAtUs)}</td>
                  <td class="figure">{whole(letter.rejection.seq)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function SessionCell({ id }: { id: string }) {
  return (
    <td>
      <a href={sessionHref(id)} dir="auto">
        {id}
      </a>
    </td>
  );
}
