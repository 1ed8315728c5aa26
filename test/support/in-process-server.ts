/** The whole server in the test's own process, on free ports: what it holds can be looked at, and it starts in 100 ms. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configSchema } from "@tailkeep/server/dist/config/schema.js";
import { type RunningServer, startServer } from "@tailkeep/server/dist/serve.js";
import { readMetrics } from "./metrics.js";

export interface InProcessServer extends RunningServer {
  metrics(): Promise<Map<string, number>>;
  /** Warnings and worse: `error: what happened`. */
  readonly logged: readonly string[];
}

/** Settings as tailkeep.yaml has them; `store` is a file of the test's own unless it is given. */
export async function startInProcess(settings: { store: string } & Record<string, unknown>): Promise<InProcessServer> {
  const config = configSchema.parse({
    grpcAddr: "127.0.0.1:0",
    httpAddr: "127.0.0.1:0",
    logLevel: "silent",
    ...settings,
  });
  const logged: string[] = [];
  const server = await startServer(config, keepingLogger(logged));
  server.failed.catch(() => undefined);
  await server.ready;
  const metrics = () => readMetrics(`http://${server.httpAddr}`);
  return { ...server, metrics, logged };
}

/** Keeps what is worth a person's attention: `error: what happened`. */
function keepingLogger(logged: string[]): Parameters<typeof startServer>[1] {
  const keep = (level: string) => (first: unknown, message?: string) => {
    logged.push(`${level}: ${message ?? String(first)}${first instanceof Object ? ` ${JSON.stringify(first)}` : ""}`);
  };
  const ignore = () => undefined;
  const logger = {
    fatal: keep("fatal"),
    error: keep("error"),
    warn: keep("warn"),
    info: ignore,
    debug: ignore,
    trace: ignore,
  };
  return logger as unknown as Parameters<typeof startServer>[1];
}

/** A folder that is gone at the end of the test. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "tailkeep-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
