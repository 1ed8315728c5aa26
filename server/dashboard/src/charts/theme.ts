/** Colours for canvases, which know no style sheet: read from it when they are painted, so both themes come from one place. */
import { useEffect, useState } from "preact/hooks";

export interface ChartColours {
  text: string;
  grid: string;
  /** Told apart by people who see colours differently too; lines differ in their dashes as well. */
  series: readonly string[];
  gap: string;
  letter: string;
}

export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3], [12, 4], [4, 2, 1, 2]];

/** A canvas takes no light-dark(): the browser is asked what it makes of it. */
function resolved(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

export function readColours(): ChartColours {
  return {
    text: resolved("--muted"),
    grid: resolved("--line"),
    series: ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6"].map(resolved),
    gap: resolved("--bad"),
    letter: resolved("--warn"),
  };
}

/** Moves when the theme does. */
export function useThemeVersion(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const turn = () => setVersion((count) => count + 1);
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", turn);
    addEventListener("tailkeep-theme", turn);
    return () => {
      media.removeEventListener("change", turn);
      removeEventListener("tailkeep-theme", turn);
    };
  }, []);
  return version;
}

export const withAlpha = (colour: string, alpha: number): string =>
  colour.replace(/^rgba?\(([^)]+)\)$/, (_, parts: string) => {
    const [r, g, b] = parts.split(/[\s,/]+/);
    return `rgba(${r}, ${g}, ${b}, ${alpha})`;
  });
