/** Two who write the same, or serve the same. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { TailkeepServer } from "../../../support/tailkeep-server.js";
import { Report } from "../../harness/oracle.js";
import { BOTH, type FaultKind, numberOf, type RunningRound, SQLITE } from "../fault.js";

const ZOMBIE = join(import.meta.dirname, "..", "recorder", "zombie.ts");
const WAIT_MS_MAX = 20_000;

export const zombieWriter: FaultKind = {
  number: 13,
  name: "zombie writer",
  reach: "some",
  stores: BOTH,
  isSlow: true,
  choose: (random) => ({
    afterMs: random.whole(0, 200),
    stoppedMs: random.whole(0, 300),
    heirRecords: random.whole(1, 400),
  }),
  inject: async (choice, round) => {
    const { rig } = round;
    const [sessionId, streamId] = [round.freshSessionId(), "contested"];
    const old = spawn(process.execPath, [ZOMBIE, rig.server.grpcAddress, sessionId, streamId], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const gone = once(old, "exit");
    const heard = { acked: 0, failed: "" };
    createInterface(old.stdout).on("line", (line) => {
      if (line.endsWith("}")) Object.assign(heard, JSON.parse(line));
    });
    const heir = rig.bystander.openStream({ sessionId, streamId, takeover: true, flushRecords: 16 });
    try {
      await until(() => heard.acked > 0);
      await sleep(numberOf(choice, "afterMs"));
      old.kill("SIGSTOP");
      await heir.opened({ timeoutMs: WAIT_MS_MAX });
      const takenOverAt = heir.info?.committedSeq ?? 0;
      const append = () => {
        for (let at = 0; at < numberOf(choice, "heirRecords"); at++) {
          heir.append({ type: "score_history", score: heir.appendedSeq + 1, scoreType: "new" });
        }
      };
      append();
      await sleep(numberOf(choice, "stoppedMs"));
      old.kill("SIGCONT");
      append();
      await until(() => heard.failed !== "");
      await heir.close({ timeoutMs: WAIT_MS_MAX });
      await judge(round, sessionId, { takenOverAt, ...heard, heirAcked: heir.ackedSeq });
    } finally {
      heir.abort();
      old.kill("SIGKILL");
      await gone;
    }
  },
};

async function judge(
  { rig, violations }: RunningRound,
  sessionId: string,
  said: { readonly takenOverAt: number; readonly acked: number; readonly failed: string; readonly heirAcked: number },
): Promise<void> {
  const report = new Report(`${sessionId} zombie`, violations);
  if (said.failed !== "FENCED") report.add("I6", `the old writer heard "${said.failed}" and not FENCED`);
  if (said.acked > said.takenOverAt)
    report.add("I6", `${said.acked} were acked to it, ${said.takenOverAt} were its own`);
  const [stream] = await rig.store.streams(sessionId);
  const rows = stream === undefined ? [] : await rig.store.rows(stream.key, "score_history");
  if (rows.length !== said.heirAcked) report.add("I1", `${rows.length} are stored, ${said.heirAcked} were acked`);
  for (const [at, { seq, columns }] of rows.entries()) {
    if (seq !== at + 1) report.add("I2", `${seq} is at place ${at + 1}`);
    if (Number(columns["score"]) !== seq) report.add("I3", `${seq} has the content of ${String(columns["score"])}`);
    const writer = seq <= said.takenOverAt ? "old" : "new";
    if (columns["score_type"] !== writer) report.add("I6", `${seq} is not from the ${writer} writer`);
  }
}

/** On SQLite nobody may have the file twice: the second server says so and ends, the first one goes on. */
export const secondServerRefused: FaultKind = {
  number: 14,
  name: "second server on the file",
  reach: "some",
  stores: SQLITE,
  isSlow: true,
  choose: () => ({}),
  inject: async (_choice, { rig, violations }) =>
    // Not while the first one is away: then the file is free.
    await rig.exclusively("store", async () => {
      const outcome = await TailkeepServer.start({ store: `sqlite:${rig.file}`, cwd: rig.scratchFolder }).then(
        async (server) => {
          await server.stop();
          return "it was let in";
        },
        (error: unknown) => String(error),
      );
      if (/another server has .* open/.test(outcome)) return;
      violations.push({ invariant: "SERVER", subject: "second server", detail: outcome });
    }),
};

async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + WAIT_MS_MAX;
  while (!holds() && performance.now() < giveUpAt) await sleep(3);
}
