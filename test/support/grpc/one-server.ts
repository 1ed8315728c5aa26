/** A server of the test file's own, in its process, on a SQLite file that is gone afterwards. */
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type InProcessServer, startInProcess, temporaryFolder } from "../in-process-server.js";
import { Stubs } from "./stubs.js";

export interface OneServer {
  readonly server: InProcessServer;
  readonly stubs: Stubs;
}

/** To be called while the test file is collected; what it returns works inside of tests. */
export function oneServer(settings: Record<string, unknown> = {}): () => OneServer {
  let running: (OneServer & { folder: Awaited<ReturnType<typeof temporaryFolder>> }) | undefined;
  beforeAll(async () => {
    const folder = await temporaryFolder();
    const server = await startInProcess({ store: `sqlite:${join(folder.path, "t.db")}`, ...settings });
    running = { server, folder, stubs: new Stubs(server.grpcAddr) };
  });
  afterAll(async () => {
    running?.stubs.close();
    await running?.server.close();
    await running?.folder.remove();
  });
  return () => {
    if (running === undefined) throw new Error("the server has not been started");
    return running;
  };
}

let count = 0;

/** Ids that no other test has. */
export function ids(): { sessionId: string; streamId: string; writerId: string } {
  count++;
  return { sessionId: `session-${count}`, streamId: `stream-${count}`, writerId: `writer-${count}` };
}
