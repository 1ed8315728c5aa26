/** Records in each batch of the trainers here. */
export const RECORDS = 3;

/** The bytes of a batch: of any size up to 9 KB, different for each stream and number. */
export function contentsOf(streamId: string, firstSeq: number): Buffer {
  const bytes = Buffer.alloc(1 + ((firstSeq * 7919) % (firstSeq % 50 === 0 ? 9_000 : 700)), `${streamId}/${firstSeq};`);
  bytes[0] = firstSeq & 0xff;
  return bytes;
}
