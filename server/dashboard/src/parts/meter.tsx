import { bytes } from "../format.js";

/** How full something is: a bar, and the same in words. */
export function Meter({ label, used, max }: { label: string; used: number; max: number }) {
  const share = max > 0 ? used / max : 0;
  const percent = Math.round(share * 100);
  return (
    <div class="meter">
      <div class="meter-words">
        <span>{label}</span>
        <span class="figure">
          {bytes(used)} of {bytes(max)} ({percent} %)
        </span>
      </div>
      <meter aria-label={label} min={0} max={1} high={0.8} optimum={0.2} value={Math.min(1, share)}>
        {percent} %
      </meter>
    </div>
  );
}
