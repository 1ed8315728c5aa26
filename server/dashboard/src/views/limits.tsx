/** What is kept in memory and for how long, and who changed that. */
import { date, whole } from "../format.js";
import { CONFIG_SOURCES, type Config, type ConfigChange, type Retention, TYPE_NAMES } from "../model.js";
import { Notice } from "../parts/notice.js";
import { Scroll } from "../parts/scroll.js";
import { useAnswer } from "../use-answer.js";

export function Limits() {
  const config = useAnswer<Config>("config");
  const changes = useAnswer<{ changes: ConfigChange[]; nextPageToken: string }>("config/changes", { page_size: 200 });
  const retention = useAnswer<Retention>("retention");
  const problem = config.error ?? changes.error ?? retention.error;
  return (
    <>
      <h1>Limits</h1>
      {problem !== undefined && <Notice tone="bad">{problem.message}</Notice>}
      {config.value !== undefined && <Settings config={config.value} changes={changes.value?.changes ?? []} />}
      {changes.value !== undefined && <History changes={changes.value.changes} />}
      {retention.value !== undefined && <RetentionCard retention={retention.value} />}
    </>
  );
}

function Settings({ config, changes }: { config: Config; changes: readonly ConfigChange[] }) {
  const settings = [
    ...Object.entries(config.memoryLimits).map(([name, value]) => ({ name: `memoryLimits.${name}`, value })),
    ...Object.entries(config.actionLimits).map(([name, value]) => ({ name: `actionLimits.${name}`, value })),
  ];
  return (
    <section class="card" aria-labelledby="settings">
      <h2 id="settings">Now</h2>
      <p class="muted">
        Trainers follow these while they run. An admin changes one with{" "}
        <code>tailkeep config set memoryLimits.scoreHistory=200</code>.
      </p>
      <Scroll label="Settings" isWhole>
        <table>
          <thead>
            <tr>
              <th scope="col">Setting</th>
              <th scope="col" class="figure">
                Value
              </th>
              <th scope="col">Where it comes from</th>
              <th scope="col">Last changed</th>
            </tr>
          </thead>
          <tbody>
            {settings.map(({ name, value }) => {
              const change = changes.find(({ settings: changed }) => Object.hasOwn(changed, name));
              return (
                <tr key={name}>
                  <th scope="row">
                    <code>{name}</code>
                  </th>
                  <td class="figure">{whole(value)}</td>
                  <td>{CONFIG_SOURCES[config.sources[name] ?? 0]}</td>
                  <td dir="auto">
                    {change === undefined ? (
                      <span class="muted">never</span>
                    ) : (
                      `${date(change.createdAtUs)} by ${change.author || "someone unnamed"}`
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function History({ changes }: { changes: readonly ConfigChange[] }) {
  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">Who changed them</h2>
      {changes.length === 0 ? (
        <p class="muted">Nobody has changed anything.</p>
      ) : (
        <Scroll label="Changes">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {changes.map((change) => (
                <tr key={change.version}>
                  <td>{date(change.createdAtUs)}</td>
                  <td dir="auto">{change.author || <span class="muted">not said</span>}</td>
                  <td>
                    {Object.entries(change.settings).map(([name, { before, after }]) => (
                      <div key={name}>
                        <code>{name}</code> {before === undefined ? "default" : whole(before)} →{" "}
                        {after === undefined ? "default" : whole(after)}
                      </div>
                    ))}
                  </td>
                  <td dir="auto">{change.comment || <span class="muted">not said</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function RetentionCard({ retention }: { retention: Retention }) {
  const due = retention.due.reduce((sum, { rows }) => sum + rows, 0);
  const [last] = retention.runs;
  return (
    <section class="card" aria-labelledby="retention">
      <h2 id="retention">How long records are kept</h2>
      {retention.heldBecause !== "" && <Notice tone="warn">Nothing expires: {retention.heldBecause}</Notice>}
      <dl class="figures">
        {retention.types.map(({ type, days }) => (
          <div key={type}>
            <dt>{TYPE_NAMES[type] ?? type}</dt>
            <dd>{whole(days)} days</dd>
          </div>
        ))}
        <div>
          <dt>pinned sessions</dt>
          <dd>{whole(retention.pinnedSessions)}</dd>
        </div>
      </dl>
      <p class="muted">
        {due === 0 ? "Nothing is due to go now." : `${whole(due)} rows are due to go.`}{" "}
        {last === undefined
          ? "Nothing has expired yet."
          : `Last run: ${date(last.endedAtUs)}, ${whole(last.removed.reduce((sum, { rows }) => sum + rows, 0))} rows.`}
      </p>
    </section>
  );
}
