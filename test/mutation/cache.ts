/** Planted bugs in what readers and watchers are told. */
import { type Mutant, SIMULATOR, simulatorWith } from "./mutant.js";

const TOLD_EARLY = `for (const { queue, batches } of members) this.#events.committed(queue, batches, { kind: "committed",
  committedSeq: batches.at(-1).lastSeq, counts: { stored: 0, rejected: 0, gapped: 0 }, alreadyUpTo: 0, rejected: [] });`;

export const CACHE_MUTANTS: readonly Mutant[] = [
  {
    name: "caches and watchers are told before the commit",
    area: "cache",
    file: "server/dist/commit/group-commit.js",
    edits: [
      {
        find: "const outcomes = await this.#store.commit(",
        replace: `${TOLD_EARLY}\nconst outcomes = await this.#store.commit(`,
      },
    ],
    catcher: SIMULATOR,
  },
  {
    name: "caches are not told of commits",
    area: "cache",
    file: "server/dist/ingest-path.js",
    edits: [{ find: "this.caches.committed(namespace, owner, epoch, committedSeq, stored);", replace: ";" }],
    catcher: SIMULATOR,
  },
  {
    name: "watchers are not told of commits",
    area: "cache",
    file: "server/dist/ingest-path.js",
    edits: [{ find: "this.hub.committed(namespace, owner, committedSeq, stored);", replace: ";" }],
    catcher: simulatorWith("watchers"),
  },
  {
    name: "refused rows are shown",
    area: "cache",
    file: "server/dist/ingest-path.js",
    edits: [{ find: "storedPart(batch, alreadyUpTo, refused)", replace: "storedPart(batch, alreadyUpTo, new Set())" }],
    catcher: SIMULATOR,
  },
  {
    name: "a cache does not ask what other servers did",
    area: "cache",
    file: "server/dist/cache/session-cache.js",
    edits: [{ find: "if (cache.warm && !sharedByServers)", replace: "if (cache.warm)" }],
    catcher: simulatorWith("two servers"),
  },
  {
    name: "a cache answers while it is being filled",
    area: "cache",
    file: "server/dist/cache/session-cache.js",
    edits: [{ find: "version: cache.warm ? cache.version : undefined", replace: "version: cache.version" }],
    catcher: { by: "test", filter: "unit/server/shared-cache" },
  },
  {
    name: "a cache keeps what it had while it was cold",
    area: "cache",
    file: "server/dist/cache/session-cache.js",
    edits: [
      {
        find: "this.#recent = emptyLists(this.#options);\n        this.#meanwhile = [];",
        replace: "this.#meanwhile = [];",
      },
    ],
    catcher: simulatorWith("database restored"),
  },
  {
    name: "a cache outlives a restored database",
    area: "cache",
    file: "server/dist/cache/session-cache.js",
    edits: [
      { find: "if (regressed !== null || cache?.isAheadOf(key, epoch, committedSeq)) {", replace: "if (false) {" },
    ],
    catcher: { by: "test", filter: "unit/server/restored-cache" },
  },
  {
    name: "a watcher misses what another server wrote",
    area: "cache",
    file: "server/dist/cache/watch-hub.js",
    edits: [{ find: "if (published + 1 < known)", replace: "if (false)" }],
    catcher: simulatorWith("watchers", "two servers"),
  },
  {
    name: "a watcher is told twice",
    area: "cache",
    file: "server/dist/cache/watch-hub.js",
    edits: [
      { find: "if (batch.lastSeq <= from)\n                continue;", replace: "" },
      { find: "batchEvents(batch, owner, from)", replace: "batchEvents(batch, owner, 0)" },
    ],
    catcher: simulatorWith("watchers"),
  },
];
