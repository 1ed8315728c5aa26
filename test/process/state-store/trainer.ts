/**
 * A trainer that writes state as fast as it is confirmed, and says on stdout what was: it is killed at any moment.
 * Arguments: address, folder, its own name. Lines: `asked <field>`, `counted <field>`, `put <n>`.
 */
import { writeSync } from "node:fs";
import { StateStore } from "../../../client/dist/state-store/state-store.js";

const [server, folder, own] = process.argv.slice(2);
const say = (line: string) => writeSync(1, `${line}\n`);
const state = new StateStore({ server, folder, patienceMs: 300 });
state.onProblem((problem) => say(`problem ${problem.code} ${problem.message}`));
state.onConflict((conflict) => say(`conflict ${conflict.name}`));

async function count(): Promise<void> {
  for (let n = 1; ; n++) {
    // A field of its own for each shows one that counts twice, which a sum might hide.
    const fields = [`${own}-${n}a`, `${own}-${n}b`];
    for (const field of fields) say(`asked ${field}`);
    await Promise.all(
      fields.map(async (field) => {
        await state.increment("shared", field);
        say(`counted ${field}`);
      }),
    );
  }
}

async function put(): Promise<void> {
  for (let n = 1; ; n++) {
    await state.put(`of ${own}`, { n });
    say(`put ${n}`);
  }
}

say("ready");
await Promise.all([count(), put()]);
