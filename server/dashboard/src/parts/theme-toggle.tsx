import { useState } from "preact/hooks";

const KEY = "tailkeep-theme";
const NEXT = { system: "light", light: "dark", dark: "system" } as const;
type Theme = keyof typeof NEXT;

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
}

apply(stored());

/** As the system has it, or one of both. */
export function ThemeToggle() {
  const [theme, setTheme] = useState(stored);
  const turn = () => {
    const next = NEXT[theme];
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    apply(next);
    setTheme(next);
    // Canvases are painted in colours that they were given.
    dispatchEvent(new Event("tailkeep-theme"));
  };
  const [sign, name] = { system: ["◐", "Auto"], light: ["☀", "Light"], dark: ["☾", "Dark"] }[theme];
  return (
    <button type="button" class="quiet" onClick={turn} title={`Change to ${NEXT[theme]}`}>
      <span class="visually-hidden">Theme: </span>
      <span aria-hidden="true">{sign}</span> {name}
    </button>
  );
}
