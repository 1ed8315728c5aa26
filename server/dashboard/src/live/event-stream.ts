/**
 * The live connection: fetch instead of EventSource, which cannot send a key. Comes back by itself, where it was cut off,
 * after a delay that grows and is never the same for two pages.
 */
import { type ApiError, apiUrl, errorOf, keyHeader } from "../api.js";
import { EventText } from "./event-text.js";

const DELAY_MS_FIRST = 500;
const DELAY_MS_MAX = 10_000;
/** The server says something every second. */
const SILENCE_MS_MAX = 15_000;
/** A longer cursor does not fit a request: the page then begins with the newest records again. */
const CURSOR_CHARS_MAX = 4_000;

export interface StreamListener {
  event(name: string, data: unknown): void;
  state(state: "live" | "waiting"): void;
  /** The key is not, or no longer, welcome. */
  refused(error: ApiError): void;
}

/** Runs until aborted. @param sessionId watched as well, unless empty */
export async function followEvents(sessionId: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  let cursor = "";
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const onEvent = (name: string, text: string) => {
        failures = 0;
        if (name === "caught-up") cursor = text.length <= CURSOR_CHARS_MAX ? text : "";
        listener.event(name, JSON.parse(text));
      };
      const isWelcome = await readOnce(sessionId, cursor, listener, onEvent, signal);
      if (!isWelcome) return;
    } catch {
      // Cut off, or nobody there: both are tried again.
    }
    if (signal.aborted) return;
    listener.state("waiting");
    const delayMs = Math.min(DELAY_MS_MAX, DELAY_MS_FIRST * 2 ** failures) * (0.5 + Math.random() / 2);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** False where the server refuses to be asked again like this. */
async function readOnce(
  sessionId: string,
  cursor: string,
  listener: StreamListener,
  onEvent: (name: string, text: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const silent = new AbortController();
  let timer = setTimeout(() => silent.abort(), SILENCE_MS_MAX);
  try {
    const response = await fetch(apiUrl("events", { session: sessionId, cursor }), {
      headers: keyHeader(),
      signal: AbortSignal.any([signal, silent.signal]),
    });
    if (response.status === 401 || response.status === 403) {
      listener.refused(await errorOf(response));
      return false;
    }
    if (!response.ok || response.body === null) return true;
    listener.state("live");
    const events = new EventText();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENCE_MS_MAX);
      for (const { event, data } of events.take(value)) onEvent(event, data);
    }
  } finally {
    clearTimeout(timer);
  }
}
