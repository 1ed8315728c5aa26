/** uPlot in a component: made anew when its series change, given new data when only they do, as wide as its place. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useThemeVersion } from "./theme.js";

interface Props {
  /** Made by the caller whenever `optionsKey` or the theme changes. */
  options: () => Omit<uPlot.Options, "width">;
  optionsKey: string;
  data: uPlot.AlignedData;
  /** What a screen reader is told instead of the picture. */
  label: string;
}

export function Plot({ options, optionsKey, data, label }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef(data);
  const theme = useThemeVersion();
  shown.current = data;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot({ ...options(), width: Math.max(200, element.clientWidth) }, shown.current, element);
    plot.current = made;
    const resized = new ResizeObserver(() => {
      const width = Math.max(200, element.clientWidth);
      if (width !== made.width) made.setSize({ width, height: made.height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [optionsKey, theme]);
  useEffect(() => {
    if (plot.current !== null && plot.current.data !== data) plot.current.setData(data);
  }, [data]);
  return <div class="plot" ref={place} role="img" aria-label={label} />;
}
