/** An answer of the API in a view: asked for when its question changes, kept while the next one is on its way. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, get, type Query } from "./api.js";

export interface Answer<Value> {
  value: Value | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
}

/** @param version asks again when it changes; an undefined path asks nothing */
export function useAnswer<Value>(path: string | undefined, query: Query = {}, version: unknown = 0): Answer<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({ value: undefined, error: undefined, isLoading: true });
  const question = JSON.stringify([path, query]);
  useEffect(() => {
    if (path === undefined) return;
    const abort = new AbortController();
    setAnswer((before) => ({ ...before, isLoading: true }));
    get<Value>(path, query, abort.signal).then(
      (value) => setAnswer({ value, error: undefined, isLoading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const known = error instanceof ApiError ? error : new ApiError(0, "", String(error));
        setAnswer((before) => ({ ...before, error: known, isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [question, version]);
  return answer;
}
