/** The decoders alone, without a network: what they throw, and nothing else, for any bytes. */
import * as proto from "@tailkeep/proto";
import { BatchError, decodeBatch, requestPart } from "@tailkeep/server/dist/record/decode.js";
import { RpcError } from "@tailkeep/server/dist/rpc/errors.js";
import { decodeRequest } from "@tailkeep/server/dist/rpc/unary.js";
import { readOpenStream } from "@tailkeep/server/dist/stream/open-request.js";
import { SeededRandom } from "../../fault/harness/random.js";
import type { Input } from "./messages.js";
import { mutated } from "./mutate.js";

type Decoders = Readonly<Record<string, Parameters<typeof decodeRequest>[0]>>;

/** @throws what the server would not answer but stumble over */
export function decodeOnce({ method }: Input, bytes: Buffer): "decoded" | "refused" {
  try {
    if (method.name === "Ingest") {
      const { kind, start, end } = requestPart(bytes);
      if (kind === "open") readOpenStream(bytes.subarray(start, end), "default");
      else if (kind === "batch") decodeBatch(bytes, start, end, 0);
    } else {
      const decoder = (proto as unknown as Decoders)[method.request.name];
      if (decoder === undefined) throw new Error(`no message ${method.request.name}`);
      decodeRequest(decoder, bytes);
    }
    return "decoded";
  } catch (error) {
    if (error instanceof BatchError || error instanceof RpcError) return "refused";
    throw error;
  }
}

/** Returns how many of `count` damaged inputs were decoded all the same. */
export function fuzzDecoders(inputs: readonly Input[], seed: string, count: number): { decoded: number } {
  const random = new SeededRandom(`decoders ${seed}`);
  let decoded = 0;
  for (let at = 0; at < count; at++) {
    const input = random.pick(inputs);
    const bytes = mutated(random.pick(input.messages), random, random.pick(random.pick(inputs).messages));
    try {
      if (decodeOnce(input, bytes) === "decoded") decoded++;
    } catch (error) {
      throw new Error(`${input.method.name} of ${bytes.toString("hex")}: ${String(error)}`);
    }
  }
  return { decoded };
}
