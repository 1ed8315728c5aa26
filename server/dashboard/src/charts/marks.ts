/** Gaps and dead letters, drawn where they fell: a band with a triangle, a dashed line with a diamond. */
import type uPlot from "uplot";
import type { DeadLetter, Gap } from "../model.js";
import { type Axis, unitOf } from "./series-data.js";
import { type ChartColours, withAlpha } from "./theme.js";

export interface Losses {
  gaps: readonly Gap[];
  letters: readonly DeadLetter[];
}

interface Mark {
  kind: "gap" | "letter";
  from: number;
  to: number;
}

/** Where they fall on an axis; on one of steps they have no place, for what was lost had no step that anyone knows. */
export function marksOf({ gaps, letters }: Losses, axis: Axis): Mark[] {
  if (axis === "step") return [];
  const at = (us: number) => us / unitOf("time");
  return [
    ...gaps.map(({ firstSeq, lastSeq, createdAtUs }): Mark => {
      const [from, to] = axis === "seq" ? [firstSeq, lastSeq] : [at(createdAtUs), at(createdAtUs)];
      return { kind: "gap", from, to };
    }),
    ...letters.map(({ rejection, createdAtUs }): Mark => {
      const place = axis === "seq" ? rejection.seq : at(createdAtUs);
      return { kind: "letter", from: place, to: place };
    }),
  ];
}

export function drawMarks(plot: uPlot, marks: readonly Mark[], colours: ChartColours): void {
  const { ctx, bbox } = plot;
  const size = 5 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { kind, from, to } of marks) {
    const left = plot.valToPos(from, "x", true);
    const right = Math.max(left + devicePixelRatio, plot.valToPos(to, "x", true));
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    const colour = kind === "gap" ? colours.gap : colours.letter;
    ctx.fillStyle = withAlpha(colour, 0.25);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.fillStyle = colour;
    const middle = (left + right) / 2;
    ctx.beginPath();
    ctx.moveTo(middle - size, bbox.top);
    if (kind === "letter") ctx.lineTo(middle, bbox.top - size);
    ctx.lineTo(middle + size, bbox.top);
    ctx.lineTo(middle, bbox.top + 2 * size);
    ctx.fill();
  }
  ctx.restore();
}
