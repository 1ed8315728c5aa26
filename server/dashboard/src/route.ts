/** Which view is shown: the fragment of the address, so that a view can be kept, sent and gone back to. */
import { useEffect, useState } from "preact/hooks";

export type Route =
  | { view: "overview" }
  | { view: "session"; sessionId: string }
  | { view: "limits" }
  | { view: "help" }
  | { view: "missing" };

export function routeOf(fragment: string): Route {
  const path = fragment.replace(/^#\/?/, "");
  if (path === "") return { view: "overview" };
  if (path === "limits" || path === "help") return { view: path };
  const id = /^session\/(.+)$/.exec(path)?.[1];
  if (id === undefined) return { view: "missing" };
  try {
    return { view: "session", sessionId: decodeURIComponent(id) };
  } catch {
    return { view: "missing" };
  }
}

export const sessionHref = (sessionId: string): string => `#/session/${encodeURIComponent(sessionId)}`;

export function useRoute(): Route {
  const [fragment, setFragment] = useState(location.hash);
  useEffect(() => {
    const follow = () => setFragment(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return routeOf(fragment);
}
