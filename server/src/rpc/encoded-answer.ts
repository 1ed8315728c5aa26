/** An answer that is encoded already. */
export class EncodedAnswer {
  readonly bytes: Buffer;

  /** @param parts fields of the message; together they are the message */
  constructor(...parts: readonly Uint8Array[]) {
    const [only] = parts;
    this.bytes =
      parts.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.length)
        : Buffer.concat(parts);
  }
}
