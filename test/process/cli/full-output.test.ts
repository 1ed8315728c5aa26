// Standard output that takes nothing more, as on a full disk: one line that says so, and the exit code of a failure.
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FilledServer, startFilledServer } from "./filled-server.js";

const TAILKEEP = join(import.meta.dirname, "..", "..", "..", "server", "bin", "tailkeep.js");
/** Only ever opened for writing: it answers every write as a full disk does. */
const FULL = "/dev/full";
let filled: FilledServer;

beforeAll(async () => {
  filled = await startFilledServer(10);
});
afterAll(() => filled.stop());

test
  .skipIf(!existsSync(FULL))
  .each(["export --session run-1", "tail run-1", "stats --json", "sessions list", "config show", "--help"])(
  "a full output ends `%s`",
  (args) => {
    const full = openSync(FULL, "w");
    try {
      const { status, stderr } = spawnSync(process.execPath, [TAILKEEP, ...args.split(" ")], {
        cwd: filled.folder,
        env: { ...process.env, ...filled.env },
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/^tailkeep: the output is incomplete: ENOSPC.*\n$/),
      });
    } finally {
      closeSync(full);
    }
  },
);
