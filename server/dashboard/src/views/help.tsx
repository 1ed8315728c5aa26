import { StartCommand } from "../parts/start-command.js";

/** What the words on the other views mean, and how a first session comes to be. */
export function Help() {
  return (
    <article class="prose">
      <h1>Help</h1>
      <section class="card">
        <h2>Start a session</h2>
        <StartCommand />
      </section>
      <section class="card">
        <h2>What the words mean</h2>
        <dl>
          <dt>Session</dt>
          <dd>
            One training run. It is running until its trainer ends it, and lost when it went silent without saying so.
          </dd>
          <dt>Quiet</dt>
          <dd>
            A running session of which nothing was stored for longer than you chose above its list. Its trainer may be
            stuck, or just thinking: only you know how often it should write.
          </dd>
          <dt>Gap</dt>
          <dd>Records that a trainer had to drop before they ever reached the server. It says how many, and why.</dd>
          <dt>Dead letter</dt>
          <dd>
            A record that arrived and could not be stored in its table. It is kept, with the field that was wrong.
          </dd>
          <dt>Ledger</dt>
          <dd>
            Every number that a trainer's stream has used is stored, rejected or a gap. The three always add up; nothing
            is lost in silence.
          </dd>
          <dt>Memory for batches</dt>
          <dd>What was received and is not yet in the database. When it is full, trainers wait; nothing is dropped.</dd>
          <dt>Memory for newest records</dt>
          <dd>A cache that answers tails. When it is full, sessions that nobody asks for leave it first.</dd>
        </dl>
      </section>
      <section class="card">
        <h2>Keys</h2>
        <p>
          Everything can be reached with Tab and Enter. On a chart, the buttons above it move and zoom; dragging does
          the same. Each chart says its figures in words below it, and as a table.
        </p>
      </section>
    </article>
  );
}
