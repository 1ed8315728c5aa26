// The envelope of a message: its five bytes, its compression, the headers beside it. What is wrong with it is the caller's
// fault, and said so; grpc-js alone would say INTERNAL.
import http2 from "node:http2";
import { gzipSync } from "node:zlib";
import { GetSessionRequest } from "@tailkeep/proto";
import { MESSAGE_BYTES_MAX } from "@tailkeep/server/dist/limits.js";
import { expect, test } from "vitest";
import { oneServer } from "../../support/grpc/one-server.js";
import { grpcMessage } from "./raw-connection.js";

const running = oneServer();
const PATH = "/tailkeep.v1.HistoryService/GetSession";
const request = GetSessionRequest.encode({ sessionId: "nobody" }).finish();

interface Answer {
  readonly status: string;
  readonly code: string | undefined;
  readonly message: string;
}

async function ask(body: Uint8Array, headers: http2.OutgoingHttpHeaders = {}): Promise<Answer> {
  const session = http2.connect(`http://${running().server.grpcAddr}`);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      session.on("error", reject);
      const call = session.request({
        ":method": "POST",
        ":path": PATH,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      let found: http2.IncomingHttpHeaders = {};
      call.on("error", reject);
      call.on("response", (answer) => {
        found = { ...found, ...answer };
      });
      call.on("trailers", (trailers) => {
        found = { ...found, ...trailers };
      });
      call.on("close", () =>
        resolve({
          status: String(found["grpc-status"] ?? `HTTP ${String(found[":status"])}`),
          code: found["tailkeep-code"] as string | undefined,
          message: decodeURIComponent(String(found["grpc-message"] ?? "")),
        }),
      );
      call.resume();
      call.end(body);
    });
  } finally {
    session.destroy();
  }
}

const INVALID_ARGUMENT = "3";
const NOT_FOUND = "5";
const RESOURCE_EXHAUSTED = "8";
const UNIMPLEMENTED = "12";
const gzip = { "grpc-encoding": "gzip" };

test.each<[string, Uint8Array, http2.OutgoingHttpHeaders, string, string | undefined, RegExp]>([
  ["a sound one", grpcMessage(request), {}, NOT_FOUND, "NOT_FOUND", /^session_id: /],
  [
    "a sound one, compressed",
    grpcMessage(gzipSync(request), undefined, 1),
    gzip,
    NOT_FOUND,
    "NOT_FOUND",
    /^session_id/,
  ],
  [
    "compression that is none",
    grpcMessage(Buffer.from("no gzip"), undefined, 1),
    gzip,
    INVALID_ARGUMENT,
    "MALFORMED",
    /^request: Failed to decompress/,
  ],
  [
    "a small message that becomes a large one",
    grpcMessage(gzipSync(Buffer.alloc(20 * MESSAGE_BYTES_MAX)), undefined, 1),
    gzip,
    RESOURCE_EXHAUSTED,
    "MESSAGE_TOO_LARGE",
    /^message: .*larger than/,
  ],
  [
    "a compression that nobody knows",
    grpcMessage(request, undefined, 1),
    { "grpc-encoding": "zip" },
    UNIMPLEMENTED,
    undefined,
    /zip/,
  ],
  [
    "a length beyond the limit",
    grpcMessage(request, 0xffff_ffff),
    {},
    RESOURCE_EXHAUSTED,
    "MESSAGE_TOO_LARGE",
    /^message: /,
  ],
  [
    "a time that is none",
    grpcMessage(request),
    { "grpc-timeout": "soon" },
    INVALID_ARGUMENT,
    "MALFORMED",
    /grpc-timeout/,
  ],
  ["no message", Buffer.alloc(0), {}, UNIMPLEMENTED, undefined, /no request message/],
  ["a method that does not exist", grpcMessage(request), { ":path": "/x/y" }, UNIMPLEMENTED, undefined, /\/x\/y/],
  ["another content type", grpcMessage(request), { "content-type": "text/html" }, "HTTP 415", undefined, /^$/],
])("%s", async (_, body, headers, status, code, message) => {
  expect(await ask(body, headers)).toEqual({ status, code, message: expect.stringMatching(message) });
});
