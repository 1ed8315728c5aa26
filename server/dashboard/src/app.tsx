/** The frame around every view: where one is, whether it is live, and who may see it. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, get, key } from "./api.js";
import { live, useLive } from "./live/live-state.js";
import type { ServerInfo } from "./model.js";
import { Notice } from "./parts/notice.js";
import { ThemeToggle } from "./parts/theme-toggle.js";
import { type Route, useRoute } from "./route.js";
import { ServerContext } from "./server-context.js";
import { Help } from "./views/help.js";
import { Limits } from "./views/limits.js";
import { Login } from "./views/login.js";
import { Overview } from "./views/overview.js";
import { SessionView } from "./views/session.js";

type Door = { state: "asking" } | { state: "closed"; problem: string } | { state: "open"; server: ServerInfo };

async function knock(): Promise<Door> {
  try {
    const { keyNeeded } = await get<{ keyNeeded: boolean }>("door");
    if (keyNeeded && key.get() === "") return { state: "closed", problem: "" };
    return { state: "open", server: await get<ServerInfo>("server") };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      key.forget();
      return { state: "closed", problem: error.message };
    }
    if (error instanceof ApiError && error.status === 403) return { state: "closed", problem: error.message };
    throw error;
  }
}

export function App() {
  const [door, setDoor] = useState<Door>({ state: "asking" });
  const [attempt, setAttempt] = useState(0);
  const [problem, setProblem] = useState("");
  const route = useRoute();
  const { refused } = useLive();
  useEffect(() => {
    let isCurrent = true;
    let timer = 0;
    knock().then(
      (found) => {
        if (!isCurrent) return;
        setProblem("");
        setDoor(found);
      },
      (error: unknown) => {
        if (!isCurrent) return;
        setProblem(error instanceof Error ? error.message : String(error));
        timer = window.setTimeout(() => setAttempt((count) => count + 1), 2_000);
      },
    );
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [attempt]);
  const watched = route.view === "session" ? route.sessionId : "";
  useEffect(() => {
    if (door.state === "open") live.follow(watched);
    else live.stop();
  }, [door.state, watched]);
  useEffect(() => {
    // The stream was refused: the key has ended, or a first key was made and the door is closed now.
    if (refused !== undefined && door.state === "open") setAttempt((count) => count + 1);
  }, [refused]);
  const leave = () => {
    key.forget();
    setDoor({ state: "closed", problem: "" });
  };
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to content
      </button>
      <header class="bar">
        <a class="brand" href="#/">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2 3h12v2H2zm3 4h9v2H5zm4 4h5v2H9z" />
          </svg>
          Tailkeep
        </a>
        {door.state === "open" && <Navigation route={route} />}
        <div class="bar-end">
          {door.state === "open" && <Connection />}
          {door.state === "open" && key.get() !== "" && (
            <button type="button" class="quiet" onClick={leave}>
              Forget key
            </button>
          )}
          <ThemeToggle />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {problem !== "" && <Notice tone="bad">{problem}</Notice>}
        {door.state === "asking" && problem === "" && <p class="muted">Asking the server …</p>}
        {door.state === "closed" && <Login problem={door.problem} onKey={() => setAttempt((count) => count + 1)} />}
        {door.state === "open" && (
          <ServerContext.Provider value={door.server}>
            <View route={route} />
          </ServerContext.Provider>
        )}
      </main>
    </>
  );
}

function skipToMain(): void {
  document.getElementById("main")?.focus();
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "overview":
      return <Overview />;
    case "session":
      return <SessionView key={route.sessionId} sessionId={route.sessionId} />;
    case "limits":
      return <Limits />;
    case "help":
      return <Help />;
    case "missing":
      return (
        <Notice tone="bad">
          There is no such view. <a href="#/">Go to the overview</a>
        </Notice>
      );
  }
}

function Navigation({ route }: { route: Route }) {
  const links = [
    ["overview", "#/", "Overview"],
    ["limits", "#/limits", "Limits"],
    ["help", "#/help", "Help"],
  ] as const;
  return (
    <nav aria-label="Views">
      {links.map(([view, href, text]) => (
        <a key={view} href={href} aria-current={route.view === view ? "page" : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}

function Connection() {
  const { connection, now } = useLive();
  const text = { connecting: "Connecting", live: "Live", waiting: "Reconnecting" }[connection];
  return (
    <span class={`connection ${connection}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
      {(now?.skipped ?? 0) > 0 && connection === "live" && (
        <span class="muted" title="The connection is slow: some updates were left out. What is shown now is current.">
          {" "}
          (slow)
        </span>
      )}
    </span>
  );
}
