// The kinds of test, each a folder. `npm test -- unit` runs one kind, `npm test -- process/launcher` one file.
//
// Kinds run one after the other, and within most of them one file at a time: two cores are what a laptop or a CI
// machine spares, and a test that measures time or kills servers must not share them. No test is retried: one that
// passes at the second attempt has found something.
import { defineConfig } from "vitest/config";

interface Kind {
  readonly name: string;
  readonly timeoutMs: number;
  readonly manyFilesAtOnce: boolean;
}

const KINDS: readonly Kind[] = [
  // Pure logic, no sockets but loopback ones, no processes.
  { name: "unit", timeoutMs: 20_000, manyFilesAtOnce: true },
  // What every store must do, run against each of them. One at a time: the databases are shared.
  { name: "contract", timeoutMs: 60_000, manyFilesAtOnce: false },
  // The command and whole servers, as users start them.
  { name: "process", timeoutMs: 120_000, manyFilesAtOnce: false },
  // Clients in other languages and of other versions. The first run makes their environments.
  { name: "interop", timeoutMs: 600_000, manyFilesAtOnce: false },
  // The protocol in a simulated world, where time, network, disk and database are made up.
  { name: "sim", timeoutMs: 120_000, manyFilesAtOnce: false },
  // Servers, trainers and databases that are killed, frozen and cut off.
  { name: "fault", timeoutMs: 300_000, manyFilesAtOnce: false },
  // Input, frames and load that are meant to do harm.
  { name: "hostile", timeoutMs: 120_000, manyFilesAtOnce: false },
  // The dashboard in a real browser.
  { name: "browser", timeoutMs: 120_000, manyFilesAtOnce: false },
  // What the README and the guides show is run as it stands.
  { name: "docs", timeoutMs: 120_000, manyFilesAtOnce: false },
];

export default defineConfig({
  test: {
    retry: 0,
    // Starts the shared database servers when the first test asks for one.
    globalSetup: ["./support/databases/global-setup.ts"],
    projects: KINDS.map((kind, order) => ({
      extends: true as const,
      test: {
        name: kind.name,
        include: [`${kind.name}/**/*.test.ts`],
        testTimeout: kind.timeoutMs,
        hookTimeout: kind.timeoutMs,
        fileParallelism: kind.manyFilesAtOnce,
        sequence: { groupOrder: order },
      },
    })),
  },
});
