/** Reads messages for the generated decoders, which take wrong UTF-8 for U+FFFD: two ids would become one. */
import { BinaryReader } from "@bufbuild/protobuf/wire";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function strictReader(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(bytes, (text) => utf8.decode(text));
}
