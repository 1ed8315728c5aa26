/** Answers of the API in a view: asked for when the question changes, kept while the next one is on its way. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, type Query } from "./api.js";

export interface Answer<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
}

const NOTHING = { value: undefined, error: undefined, isLoading: true };

/** @param version asks again when it changes; an undefined path asks nothing */
export function useAnswer<Value>(path: string | undefined, query: Query = {}, version: unknown = 0): Answer<Value> {
  const ask = path === undefined ? undefined : (signal: AbortSignal) => get<Value>(path, query, signal);
  return useAsked(ask, JSON.stringify([path, query]), version);
}

/**
 * The same for whatever asks. A new question ends the one before. A new version of the same question waits for the answer
 * that is on its way: where news come faster than answers, breaking off would never show any.
 */
export function useAsked<Value>(
  ask: ((signal: AbortSignal) => Promise<Value>) | undefined,
  question: string,
  version: unknown,
): Answer<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>(NOTHING);
  const newest = useRef({ ask, version });
  newest.current = { ask, version };
  const again = useRef<() => void>(() => undefined);
  useEffect(() => {
    const abort = new AbortController();
    let isAsking = false;
    let asked: unknown;
    const askOnce = async () => {
      const { ask: current, version: wanted } = newest.current;
      if (isAsking || current === undefined || abort.signal.aborted) return;
      isAsking = true;
      asked = wanted;
      setAnswer((before) => ({ ...before, isLoading: true }));
      try {
        const value = await current(abort.signal);
        if (!abort.signal.aborted) setAnswer({ value, error: undefined, isLoading: false });
      } catch (thrown) {
        const error = thrown instanceof ApiError ? thrown : new ApiError(0, "", String(thrown));
        if (!abort.signal.aborted) setAnswer((before) => ({ ...before, error, isLoading: false }));
      }
      isAsking = false;
      if (newest.current.version !== asked) void askOnce();
    };
    again.current = () => void askOnce();
    void askOnce();
    return () => abort.abort();
  }, [question]);
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else again.current();
  }, [version]);
  return answer;
}
