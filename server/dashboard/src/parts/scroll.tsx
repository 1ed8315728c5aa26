import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  /** As high as it is: it scrolls sideways only. */
  isWhole?: boolean;
  children: ComponentChildren;
}

/** A part that scrolls by itself: whoever has no mouse must be able to stand in it. */
export function Scroll({ label, isWhole, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it can be scrolled with the arrow keys only where it has the focus
    <section class={isWhole ? "scroll whole" : "scroll"} tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
