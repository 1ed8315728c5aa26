/** The page at /: one screen that says whether all is well. Text only; reloads itself every five seconds. */

export interface Status {
  version: string;
  grpcAddr: string;
  /** "SQLite 3.53.4, durable", or what is wrong. */
  store: string;
  problem: string | undefined;
  figures: readonly { name: string; value: string }[];
  sessions: readonly { sessionId: string; state: string; startedAt: string; lastSeenAt: string }[];
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:1.5rem 0 .5rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent)}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.ok{color:light-dark(#16652c,#6fdc8c)}.bad{color:light-dark(#a3140f,#ff8389)}
`;

export function statusPage(status: Status): string {
  const state =
    status.problem === undefined
      ? `<p class="ok" role="status">Ready: ${escapeHtml(status.store)}.</p>`
      : `<p class="bad" role="alert">Not ready: ${escapeHtml(status.problem)}.</p>`;
  const figures = status.figures
    .map(
      ({ name, value }) => `<tr><th scope="row">${escapeHtml(name)}</th><td class="n">${escapeHtml(value)}</td></tr>`,
    )
    .join("");
  const sessions = status.sessions
    .map((each) => {
      const cells = [each.sessionId, each.state, each.startedAt, each.lastSeenAt];
      return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
    })
    .join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tailkeep</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="refresh" content="5">
<style>${STYLE}</style></head><body><h1>Tailkeep ${escapeHtml(status.version)}</h1>
${state}<p>gRPC on ${escapeHtml(status.grpcAddr)}.</p>
<h2>Now</h2><table>${figures}</table>
<h2>Newest sessions</h2><table><tr><th>session</th><th>state</th><th>started</th><th>last seen</th></tr>${sessions}</table>
</body></html>
`;
}
