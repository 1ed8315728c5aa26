/** Asks the server's API. The key, where one is needed, lives as long as the tab and is sent as a header only. */

const KEY = "tailkeep-key";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const key = {
  get: (): string => sessionStorage.getItem(KEY) ?? "",
  set: (value: string): void => sessionStorage.setItem(KEY, value),
  forget: (): void => sessionStorage.removeItem(KEY),
};

export type Query = Readonly<Record<string, string | number | undefined | readonly (string | number)[]>>;

export function apiUrl(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== "") params.append(name, String(each));
    }
  }
  const text = params.toString();
  return `/api/v1/${path}${text === "" ? "" : `?${text}`}`;
}

export function keyHeader(): Record<string, string> {
  return key.get() === "" ? {} : { authorization: `Bearer ${key.get()}` };
}

/** @throws ApiError, with what the server said */
export async function get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  return await ask<Answer>(apiUrl(path, query), { headers: keyHeader(), ...(signal === undefined ? {} : { signal }) });
}

export async function patch<Answer>(path: string, query: Query, body: object): Promise<Answer> {
  const headers = { ...keyHeader(), "content-type": "application/json" };
  return await ask<Answer>(apiUrl(path, query), { method: "PATCH", headers, body: JSON.stringify(body) });
}

export async function remove<Answer>(path: string, query: Query): Promise<Answer> {
  return await ask<Answer>(apiUrl(path, query), { method: "DELETE", headers: keyHeader() });
}

async function ask<Answer>(url: string, options: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "OFFLINE", "the server does not answer; it may be restarting");
  }
  if (response.ok) return (await response.json()) as Answer;
  throw await errorOf(response);
}

export async function errorOf(response: Response): Promise<ApiError> {
  const said = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
  return new ApiError(response.status, said.code ?? "", said.message ?? `the server answered ${response.status}`);
}
