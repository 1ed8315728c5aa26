import type { ComponentChildren } from "preact";

const SIGNS = { good: "✓", warn: "!", bad: "✕", plain: "i" } as const;
export type Tone = keyof typeof SIGNS;

/** A sign with its meaning in words beside it, so that colour is never all there is. */
export function Sign({ tone }: { tone: Tone }) {
  return (
    <span class={`sign ${tone}`} aria-hidden="true">
      {SIGNS[tone]}
    </span>
  );
}

export function Notice({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Sign tone={tone} />
      <div>{children}</div>
    </div>
  );
}
