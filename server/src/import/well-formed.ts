/** A text that UTF-8 can say: halves of surrogate pairs, which a cut may leave, become U+FFFD. */
export function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
