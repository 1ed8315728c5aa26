import type { ComponentChildren } from "preact";

/** A part that scrolls by itself: whoever has no mouse must be able to stand in it. */
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it can be scrolled with the arrow keys only where it has the focus
    <section class="scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
