/**
 * What calls hold in memory outside of their handlers: messages that have not arrived completely or wait to be read, and
 * answers that the other side does not read. grpc-js bounds each message and nothing else: 64 calls of one connection
 * held 256 MB of messages that never ended.
 *
 * A call that would pass a limit is ended, and told to come back (OVERLOADED).
 */
import http2 from "node:http2";
import { Metadata, type ServerInterceptingCallInterface, status } from "@grpc/grpc-js";
import { AdminServiceService, HistoryServiceService, IngestServiceService, StateServiceService } from "@tailkeep/proto";
import {
  ANSWERS_AT_ONCE_MAX,
  OVERLOAD_RETRY_AFTER_MS,
  RECEIVING_BYTES_IN_ALL_MAX,
  RECEIVING_BYTES_MAX,
  RECEIVING_BYTES_PER_STREAM,
  RECEIVING_MESSAGE_BYTES,
  RECEIVING_PIECE_BYTES,
  UNREAD_MS_MAX,
  UNSENT_BYTES_IN_ALL_MAX,
  UNSENT_BYTES_MAX,
} from "../limits.js";
import { endSession } from "./connection-limits.js";

/** What grpc-js keeps to itself of its innermost call object; the tests notice when it is otherwise. */
interface InnermostCall extends ServerInterceptingCallInterface {
  readonly stream: http2.ServerHttp2Stream;
  readonly decoder: { write(data: Buffer): Buffer[] };
  readonly handler: { readonly path: string };
}

interface Connection {
  /** Calls whose one answer is being made or sent, and those that wait for their turn. */
  answering: number;
  readonly turns: (() => void)[];
  receivingBytes: number;
  /** Streams that were opened, each of which may be in the middle of a largest batch. */
  openStreams: number;
  readonly unsent: Map<http2.ServerHttp2Stream, number>;
  unsentBytes: number;
  unreadTimer: NodeJS.Timeout | undefined;
}

/** Calls with one answer, which may be as large as a message: a connection has a few of them at once, the rest waits. */
const TAKES_TURNS: ReadonlySet<string> = new Set(
  [
    ...Object.values(HistoryServiceService),
    ...Object.values(StateServiceService),
    ...Object.values(AdminServiceService),
  ]
    .filter(({ responseStream }) => !responseStream)
    .map(({ path }) => path),
);

function takeTurn(stream: http2.ServerHttp2Stream, connection: Connection, start: () => void): void {
  const begin = () => {
    connection.answering++;
    // Over when it is sent, or when nobody waits for it any more.
    stream.once("close", () => {
      connection.answering--;
      connection.turns.shift()?.();
    });
    start();
  };
  if (connection.answering < ANSWERS_AT_ONCE_MAX) {
    begin();
    return;
  }
  connection.turns.push(begin);
  stream.once("close", () => {
    const at = connection.turns.indexOf(begin);
    if (at >= 0) connection.turns.splice(at, 1);
  });
}

type Ending = Parameters<ServerInterceptingCallInterface["sendStatus"]>[0];

function overloaded(details: string): Ending {
  const metadata = new Metadata();
  metadata.set("tailkeep-code", "OVERLOADED");
  metadata.set("tailkeep-retry-after-ms", String(OVERLOAD_RETRY_AFTER_MS));
  return { code: status.RESOURCE_EXHAUSTED, details, metadata };
}

const RECEIVING_TOO_MUCH = overloaded(
  "too many messages are on their way at once; send fewer at a time, and this one again later",
);
const UNREAD = overloaded(
  "answers are not read as fast as they are asked for; ask for fewer at a time, and again later",
);

/** A piece of a few bytes would keep the 64 KiB alive that it was read with. */
function compact(data: Buffer): Buffer {
  return data.length * 2 < data.buffer.byteLength ? Buffer.from(data) : data;
}

export class CallMemory {
  readonly #connections = new WeakMap<http2.Http2Session, Connection>();
  #receivingBytes = 0;
  #unsentBytes = 0;

  get receivingBytes(): number {
    return this.#receivingBytes;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  /** Watches over a call from its headers on. Returns how its messages are handed to its handler. */
  watch(innermost: ServerInterceptingCallInterface): (hand: () => void) => void {
    const call = innermost as InnermostCall;
    const { session } = call.stream;
    if (session === undefined) return (hand) => hand();
    const connection = this.#connectionOf(session);
    this.#watchAnswers(call, session, connection);
    const delivered = this.#watchMessages(call, connection);
    const inTurn = TAKES_TURNS.has(call.handler.path);
    return (hand) => {
      const deliver = () => {
        delivered();
        hand();
      };
      if (inTurn) takeTurn(call.stream, connection, deliver);
      else deliver();
    };
  }

  #watchMessages(call: InnermostCall, connection: Connection): () => void {
    const { decoder, stream } = call;
    const write = decoder.write.bind(decoder);
    /** What each message that waits for the handler costs, and what the one that is not complete yet does. */
    const waiting: number[] = [];
    let partBytes = 0;
    let partOverhead = 0;
    let held = 0;
    let answered = false;
    const hold = (bytes: number) => {
      held += bytes;
      connection.receivingBytes += bytes;
      this.#receivingBytes += bytes;
    };
    decoder.write = (data) => {
      const before = partBytes + partOverhead;
      const messages = write(compact(data));
      partBytes += data.length;
      if (messages.length > 0) partOverhead = 0;
      for (const message of messages) {
        partBytes -= message.length;
        waiting.push(message.length + RECEIVING_MESSAGE_BYTES);
        hold(message.length + RECEIVING_MESSAGE_BYTES);
      }
      partOverhead = partBytes === 0 ? 0 : partOverhead + RECEIVING_PIECE_BYTES;
      hold(partBytes + partOverhead - before);
      if (connection.receivingBytes <= this.#allowance(connection)) return messages;
      call.sendStatus(RECEIVING_TOO_MUCH);
      // What has arrived is kept until the stream is closed, which the other side need not do.
      setImmediate(() => stream.close(http2.constants.NGHTTP2_NO_ERROR));
      return [];
    };
    if (call.handler.path === IngestServiceService.ingest.path) {
      const sendMessage = call.sendMessage.bind(call);
      call.sendMessage = (message, callback) => {
        // Its first answer says that the stream is open.
        if (!answered) connection.openStreams++;
        answered = true;
        sendMessage(message, callback);
      };
    }
    stream.once("close", () => {
      hold(-held);
      waiting.length = 0;
      if (answered) connection.openStreams--;
    });
    return () => {
      const bytes = waiting.shift();
      if (bytes !== undefined) hold(-bytes);
    };
  }

  /** Where all together hold too much, it is those who hold more than their streams need that are refused. */
  #allowance({ openStreams }: Connection): number {
    const own = (openStreams + 1) * RECEIVING_BYTES_PER_STREAM;
    return this.#receivingBytes > RECEIVING_BYTES_IN_ALL_MAX ? own : RECEIVING_BYTES_MAX + own;
  }

  #watchAnswers(call: InnermostCall, session: http2.Http2Session, connection: Connection): void {
    const { stream } = call;
    const sendMessage = call.sendMessage.bind(call);
    const account = () => {
      const bytes = stream.destroyed ? 0 : stream.writableLength;
      const change = bytes - (connection.unsent.get(stream) ?? 0);
      if (bytes === 0) connection.unsent.delete(stream);
      else connection.unsent.set(stream, bytes);
      connection.unsentBytes += change;
      this.#unsentBytes += change;
      // Anything that leaves shows that somebody reads.
      if (change < 0) clearTimeout(connection.unreadTimer);
      if (change < 0 || connection.unreadTimer === undefined) this.#awaitReading(session, connection);
    };
    call.sendMessage = (message, callback) => {
      if (connection.unsentBytes > UNSENT_BYTES_MAX || this.#unsentBytes > UNSENT_BYTES_IN_ALL_MAX) {
        call.sendStatus(UNREAD);
        return;
      }
      sendMessage(message, () => {
        account();
        callback();
      });
      // What goes out at once is the rule, and costs nothing here.
      if (stream.writableLength > 0) account();
    };
    stream.once("close", account);
  }

  #awaitReading(session: http2.Http2Session, connection: Connection): void {
    connection.unreadTimer = undefined;
    if (connection.unsentBytes === 0) return;
    connection.unreadTimer = setTimeout(() => endSession(session), UNREAD_MS_MAX);
    connection.unreadTimer.unref();
  }

  #connectionOf(session: http2.Http2Session): Connection {
    let connection = this.#connections.get(session);
    if (connection === undefined) {
      connection = {
        answering: 0,
        turns: [],
        receivingBytes: 0,
        openStreams: 0,
        unsent: new Map(),
        unsentBytes: 0,
        unreadTimer: undefined,
      };
      this.#connections.set(session, connection);
      const made = connection;
      session.once("close", () => clearTimeout(made.unreadTimer));
    }
    return connection;
  }
}
