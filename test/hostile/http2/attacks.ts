/** What one connection may try, each for a while. None of them ever sends a credential. */
import { setTimeout as sleep } from "node:timers/promises";
import { ListRecordsRequest, WatchRecordsRequest } from "@tailkeep/proto";
import {
  FLAG,
  frame,
  grpcMessage,
  header,
  RawConnection,
  requestHead,
  settings,
  TYPE,
  uint32,
} from "./raw-connection.js";

export interface Attack {
  readonly name: string;
  /** Attacks with one connection for `ms` milliseconds, and returns it as it is then. */
  run(address: string, ms: number): Promise<RawConnection>;
}

const INGEST = "/tailkeep.v1.IngestService/Ingest";
const WRITE = "/tailkeep.v1.IngestService/WriteRecords";
const LIST = "/tailkeep.v1.HistoryService/ListRecords";
const WATCH = "/tailkeep.v1.HistoryService/WatchRecords";
/** What a full session of the test is called: its page is about 2 MiB. */
export const FULL_SESSION = "full";

const open = (streamId: number, path: string, ...more: Buffer[]) =>
  frame(TYPE.headers, FLAG.endHeaders, streamId, requestHead(path, ...more));
const streamIds = (round: number, count: number) =>
  Array.from({ length: count }, (_, at) => 2 * (round * count + at) + 1);

/** One that sends frames as fast as they are taken. */
function flood(
  name: string,
  next: (round: number) => Uint8Array,
  before: (connection: RawConnection) => Promise<unknown> = async () => undefined,
): Attack {
  return {
    name,
    run: async (address, ms) => {
      const connection = await RawConnection.open(address);
      await before(connection);
      await connection.flood(ms, next);
      return connection;
    },
  };
}

/** One that sends something once, then holds the connection. */
function hold(
  name: string,
  act: (connection: RawConnection) => Promise<unknown>,
  options: { windowBytes?: number; reading?: boolean } = {},
): Attack {
  return {
    name,
    run: async (address, ms) => {
      const until = performance.now() + ms;
      const connection = await RawConnection.open(address, options);
      if (options.reading === false) connection.socket.pause();
      await act(connection);
      await sleep(Math.max(0, until - performance.now()));
      return connection;
    },
  };
}

const kept = header("x-large", "v".repeat(3_900), true);
const indexed = Buffer.alloc(1, 0x80 | 62);
const piece = Buffer.alloc(16_000, 0x61);

export const ATTACKS: readonly Attack[] = [
  flood("many headers, each an index of one byte", (round) =>
    Buffer.concat(
      streamIds(round, 20).map((id) =>
        frame(
          TYPE.headers,
          FLAG.endHeaders,
          id,
          Buffer.concat([
            requestHead(INGEST),
            ...(round === 0 ? [kept] : []),
            ...new Array<Buffer>(8_000).fill(indexed),
          ]),
        ),
      ),
    ),
  ),
  flood("a header list of megabytes", (round) =>
    Buffer.concat([
      frame(TYPE.headers, 0, 2 * round + 1, requestHead(INGEST)),
      ...Array.from({ length: 7 }, (_, at) =>
        frame(TYPE.continuation, at === 6 ? FLAG.endHeaders : 0, 2 * round + 1, header(`x-${at}`, "v".repeat(16_000))),
      ),
    ]),
  ),
  flood(
    "CONTINUATION without end",
    () => frame(TYPE.continuation, 0, 1, header("x-more", "v".repeat(1_000))),
    (connection) => connection.write(frame(TYPE.headers, 0, 1, requestHead(INGEST))),
  ),
  flood(
    "empty CONTINUATION without end",
    () => Buffer.concat(new Array<Buffer>(500).fill(frame(TYPE.continuation, 0, 1))),
    (connection) => connection.write(frame(TYPE.headers, 0, 1, requestHead(INGEST))),
  ),
  flood("rapid reset", (round) =>
    Buffer.concat(streamIds(round, 50).flatMap((id) => [open(id, INGEST), frame(TYPE.reset, 0, id, uint32(8))])),
  ),
  flood("streams beyond the limit", (round) => Buffer.concat(streamIds(round, 50).map((id) => open(id, INGEST)))),
  flood("calls of methods that do not exist", (round) =>
    Buffer.concat(
      streamIds(round, 50).map((id) =>
        frame(TYPE.headers, FLAG.endHeaders | FLAG.endStream, id, requestHead(`/x/${"y".repeat(2_000)}`)),
      ),
    ),
  ),
  flood("PING", () => Buffer.concat(new Array<Buffer>(500).fill(frame(TYPE.ping, 0, 0, Buffer.alloc(8))))),
  hold(
    "PING whose answers are not read",
    async (connection) => {
      await connection.flood(2_000, () =>
        Buffer.concat(new Array<Buffer>(500).fill(frame(TYPE.ping, 0, 0, Buffer.alloc(8)))),
      );
    },
    { reading: false },
  ),
  flood("SETTINGS", () =>
    Buffer.concat(new Array<Buffer>(200).fill(frame(TYPE.settings, 0, 0, settings([4, 65_535])))),
  ),
  flood("long SETTINGS", () =>
    frame(TYPE.settings, 0, 0, settings(...Array.from({ length: 2_000 }, (_, at) => [100 + at, at] as const))),
  ),
  flood(
    "empty DATA",
    () => Buffer.concat(new Array<Buffer>(500).fill(frame(TYPE.data, 0, 1))),
    (connection) => connection.write(open(1, INGEST)),
  ),
  flood(
    "DATA that is padding",
    () => frame(TYPE.data, FLAG.padded, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)])),
    (connection) => connection.write(open(1, INGEST)),
  ),
  hold("WINDOW_UPDATE beyond all bounds", async (connection) => {
    await connection.write(open(1, INGEST));
    for (let round = 0; round < 4; round++) {
      await connection.write(
        frame(TYPE.windowUpdate, 0, 0, uint32(0x7fff_ffff)),
        frame(TYPE.windowUpdate, 0, 1, uint32(0x7fff_ffff)),
      );
    }
  }),
  flood("WINDOW_UPDATE", () => Buffer.concat(new Array<Buffer>(500).fill(frame(TYPE.windowUpdate, 0, 0, uint32(1))))),
  hold("half-open calls", async (connection) => {
    for (const id of streamIds(0, 60)) await connection.write(open(id, id % 4 === 1 ? INGEST : WRITE));
  }),
  hold("messages that never end", async (connection) => {
    for (const id of streamIds(0, 60)) await connection.write(open(id, WRITE));
    for (let round = 0; round < 260; round++) {
      for (const id of streamIds(0, 60)) {
        const first = round === 0 ? grpcMessage(piece, 4_190_000) : piece;
        if (!(await connection.write(frame(TYPE.data, 0, id, first)))) return;
      }
    }
  }),
  hold("messages that claim to have 4 GB", async (connection) => {
    for (const id of streamIds(0, 60)) {
      await connection.write(open(id, WRITE), frame(TYPE.data, 0, id, grpcMessage(piece, 0xffff_ffff)));
    }
  }),
  hold("empty messages by the thousand", async (connection) => {
    const many = Buffer.concat(new Array<Buffer>(3_000).fill(grpcMessage(Buffer.alloc(0))));
    for (const id of streamIds(0, 60)) await connection.write(open(id, INGEST), frame(TYPE.data, 0, id, many));
  }),
  {
    name: "the first bytes of TLS",
    run: async (address, ms) => {
      const connection = await RawConnection.silent(address);
      await connection.write(Buffer.from("16030100fa010000f60303", "hex"), Buffer.alloc(240, 0x5a));
      await sleep(ms);
      return connection;
    },
  },
  {
    name: "random bytes",
    run: async (address, ms) => {
      const connection = await RawConnection.silent(address);
      await connection.flood(ms, (round) => Buffer.alloc(10_000, round & 0xff));
      return connection;
    },
  },
  flood("frames of unknown types", (round) =>
    Buffer.concat(new Array<Buffer>(100).fill(frame(32 + (round % 200), 0xff, round % 7, Buffer.alloc(100)))),
  ),
];

/** Who asks for much and reads nothing of it. */
export const READERS: readonly Attack[] = [
  hold(
    "large answers with no window",
    async (connection) => {
      const request = ListRecordsRequest.encode(
        ListRecordsRequest.create({ sessionId: FULL_SESSION, pageSize: 1_000 }),
      ).finish();
      for (const id of streamIds(0, 60)) {
        await connection.write(open(id, LIST), frame(TYPE.data, FLAG.endStream, id, grpcMessage(request)));
      }
    },
    { windowBytes: 0 },
  ),
  hold(
    "watches with no window",
    async (connection) => {
      const request = WatchRecordsRequest.encode(
        WatchRecordsRequest.create({ sessionId: FULL_SESSION, snapshotLimit: 1_000 }),
      ).finish();
      for (const id of streamIds(0, 60)) {
        await connection.write(open(id, WATCH), frame(TYPE.data, FLAG.endStream, id, grpcMessage(request)));
      }
    },
    { windowBytes: 0 },
  ),
];
