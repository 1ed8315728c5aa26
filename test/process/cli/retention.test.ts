// A storing day that is weeks behind: seen, and set by who knows which day it is.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { dayOfMs, dayText } from "@tailkeep/server/dist/record/time.js";
import { expect, onTestFinished, test } from "vitest";
import { startInProcess, temporaryFolder } from "../../support/in-process-server.js";
import { runCommand } from "../../support/run-command.js";

test("nothing is removed after weeks without a server until somebody says which day it is", async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, "t.db");
  await (await startInProcess({ store: `sqlite:${file}` })).close();
  const database = new DatabaseSync(file);
  const today = dayOfMs(Date.now());
  database.exec(`UPDATE storing_day SET day = '${dayText(today - 40)}'`);
  database.close();
  const server = await startInProcess({ store: `sqlite:${file}` });
  onTestFinished(() => server.close());
  const retention = (...args: string[]) =>
    runCommand(["retention", ...args], { env: { TAILKEEP_SERVER: server.grpcAddr } });

  expect(await retention()).toMatchObject({ code: 0, stdout: expect.stringContaining("--confirm-day") });
  expect(await retention("--confirm-day", "yesterday")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('day: "yesterday" is no day'),
  });
  expect(await retention("--confirm-day", dayText(today - 40))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`this host's says ${dayText(today)}`),
  });
  expect((await retention()).stdout).toContain("HELD");
  const confirmed = await retention("--confirm-day", dayText(today));
  expect(confirmed).toMatchObject({ code: 0, stdout: expect.stringContaining(`storing day ${dayText(today)}`) });
  expect(confirmed.stdout).not.toContain("HELD");
});
