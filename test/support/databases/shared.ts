/**
 * One server of each kind for a whole vitest run. The main process offers them on a local socket and starts each when
 * the first test file asks; every file makes its own database. Without that offer (a test run by hand) a file gets a
 * private server instead.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { attachToServer, startMysqlFamily } from "./mysql-family.js";
import { startMysql9 } from "./mysql9.js";
import { type DatabaseServer, isSkipped, type Skipped } from "./types.js";

const PORT_VARIABLE = "TAILKEEP_TEST_DATABASES_PORT";

const STARTERS = { family: () => startMysqlFamily(), mysql9: () => startMysql9() } as const;
type Which = keyof typeof STARTERS;
type Answer = { url: string } | Skipped;

export function sharedMysqlFamily(): Promise<DatabaseServer | Skipped> {
  return askFor("family");
}

export function sharedMysql9(): Promise<DatabaseServer | Skipped> {
  return askFor("mysql9");
}

async function askFor(which: Which): Promise<DatabaseServer | Skipped> {
  const port = process.env[PORT_VARIABLE];
  if (!port) return await STARTERS[which]();
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(`${which}\n`);
  const answer = JSON.parse(await text(socket)) as Answer;
  return isSkipped(answer) ? answer : await attachToServer(answer.url);
}

/** Called once, in vitest's main process. Returns what ends the servers. */
export async function offerSharedServers(): Promise<() => Promise<void>> {
  const started = new Map<Which, Promise<DatabaseServer | Skipped>>();
  const answer = async (which: Which): Promise<Answer> => {
    const starting = started.get(which) ?? STARTERS[which]();
    started.set(which, starting);
    try {
      const server = await starting;
      return isSkipped(server) ? server : { url: server.url() };
    } catch (error) {
      return { skipped: `the shared server did not start: ${String(error)}` };
    }
  };
  const offer = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", (request) => {
      void answer(String(request).trim() as Which).then((reply) => socket.end(JSON.stringify(reply)));
    });
  });
  offer.listen(0, "127.0.0.1");
  await once(offer, "listening");
  const address = offer.address();
  if (address && typeof address === "object") process.env[PORT_VARIABLE] = String(address.port);
  return async () => {
    offer.close();
    delete process.env[PORT_VARIABLE];
    for (const starting of started.values()) {
      const server = await starting.catch(() => undefined);
      if (server && !isSkipped(server)) await server.stop();
    }
  };
}
