/** Asks a server's HTTP side for its figures, with the same key and the same authorities as every other call. */
import { readFileSync } from "node:fs";
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { text } from "node:stream/consumers";

const ANSWER_MS_MAX = 2_000;

export interface Page {
  readonly status: number;
  readonly body: string;
}

/** Follows no redirection, which could lead a key elsewhere. @throws where nothing answers, or a file cannot be read */
export async function metricsPage(httpUrl: string, environment: NodeJS.ProcessEnv = process.env): Promise<Page> {
  const { TAILKEEP_API_KEY_FILE: keyFile, TAILKEEP_API_KEY: plainKey, TAILKEEP_CA: caFile } = environment;
  const key = keyFile ? readFileSync(keyFile, "utf8").trim() : plainKey;
  // A key goes over no network that anybody can read.
  const isSafe = httpUrl.startsWith("https:") || /^http:\/\/(127\.|localhost|\[::1\])/.test(httpUrl);
  const options = {
    headers: key && isSafe ? { authorization: `Bearer ${key}` } : {},
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpUrl.startsWith("https:")
      ? httpsGet(`${httpUrl}/metrics`, { ...options, ...(caFile && { ca: readFileSync(caFile) }) })
      : httpGet(`${httpUrl}/metrics`, options);
    request.once("response", resolve).once("error", reject);
  });
  return { status: answer.statusCode ?? 0, body: await text(answer) };
}
