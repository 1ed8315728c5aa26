import { plural, whole } from "../format.js";
import type { Ledger } from "../model.js";
import { useAnswer } from "../use-answer.js";
import { Notice } from "./notice.js";
import { Scroll } from "./scroll.js";

const SHOWN_MAX = 200;

/** Every number that the session's writers used, and what became of it. */
export function LedgerTable({ sessionId, version }: { sessionId: string; version: unknown }) {
  const { value, error } = useAnswer<Ledger>("ledger", { session: sessionId, page_size: SHOWN_MAX }, version);
  return (
    <section class="card" aria-labelledby="ledger">
      <h2 id="ledger">Ledger</h2>
      {error !== undefined && <Notice tone="bad">{error.message}</Notice>}
      {value !== undefined && (
        <Scroll label="Streams">
          <table>
            <caption>
              {value.nextPageToken ? `The first ${SHOWN_MAX} streams` : plural(value.streams.length, "stream")}: stored
              + rejected + in gaps = numbers used
            </caption>
            <thead>
              <tr>
                <th scope="col">Stream</th>
                <th scope="col">Opened</th>
                <th scope="col">Stored</th>
                <th scope="col">Rejected</th>
                <th scope="col">In gaps</th>
                <th scope="col">Numbers used</th>
              </tr>
            </thead>
            <tbody>
              {value.streams.map(({ streamId, epoch, committedSeq, counts }) => (
                <tr key={streamId}>
                  <th scope="row" dir="auto">
                    <code>{streamId}</code>
                  </th>
                  <td>{epoch === 1 ? "once" : `${whole(epoch)} times`}</td>
                  <td>{whole(counts.stored)}</td>
                  <td>{whole(counts.rejected)}</td>
                  <td>{whole(counts.gapped)}</td>
                  <td>{whole(committedSeq)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}
