/** What a server says of itself that nobody should ever read. */

/** That the store did not answer is what a killed database looks like; anything else is a bug. */
export function bugIn(output: string): string | undefined {
  // The first line may have lost its beginning, as only the newest output is kept.
  const lines = output.split("\n").slice(1);
  const found = lines.find((line) => /a call failed|this is a bug/.test(line) && !line.includes('"name":"StoreError"'));
  return found?.slice(0, 2_000);
}
