// How the exports of the client are grouped on its API page: by the folder of client/src that declares them.

/** In the page's order. A file directly in client/src stands by its name without the ending. */
export const GROUPS = [
  {
    title: "Containers in memory",
    about:
      "Bounded, and nothing else: no dependency, no recorder. [containers.md](containers.md) says how they are made.",
    folders: ["containers"],
  },
  {
    title: "Containers that record",
    about: "The same containers, whose every write also reaches the database.",
    folders: ["recording"],
  },
  {
    title: "What can be recorded",
    about: "The six types, their fields, and what a list or a dictionary of each takes.",
    folders: ["items", "records"],
  },
  {
    title: "Recorder, spill and ledger",
    about: "One recorder a process carries the records of all containers. [spill.md](spill.md) is about its files.",
    folders: ["recorder", "spill"],
  },
  {
    title: "Limits from the server",
    about: "The central configuration, and the containers that follow it.",
    folders: ["limits-feed"],
  },
  {
    title: "Memory guard",
    about: "Bounds the containers of objects that exist already.",
    folders: ["memory-guard"],
  },
  {
    title: "State documents",
    about: "Named JSON documents: the database first, files while the server is away.",
    folders: ["state-store"],
  },
  {
    title: "Metrics without a library",
    about: "`@tailkeep/client/prometheus`, below, has the same as a registry of prom-client.",
    folders: ["metrics"],
  },
  {
    title: "Connection and queries",
    about:
      "A client of its own for reading, for programs that record nothing. A recorder has one as `recorder.client`.",
    folders: ["client", "options", "query", "transport"],
  },
  {
    title: "Streams without containers",
    about: "For writers that keep their own sequence. Containers do not need them.",
    folders: ["ingest", "protocol"],
  },
  {
    title: "Errors",
    about: "Everything that this package throws or rejects with is a TailkeepError.",
    folders: ["errors"],
  },
];

/** The group of a declaration; throws for a folder that is in none. */
export function groupOf(folder) {
  const group = GROUPS.find(({ folders }) => folders.includes(folder));
  if (group === undefined) throw new Error(`client/src/${folder} exports something: add it to deploy/docs/groups.js`);
  return group;
}
