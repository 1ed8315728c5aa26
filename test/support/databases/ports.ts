import { createServer } from "node:net";

// Below the range that systems take outgoing ports from: a client that retries against a killed server's port inside
// that range can, rarely, connect to itself, and any outgoing connection may take the port before the restart.
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port on 127.0.0.1 between ${PORT_MIN} and ${PORT_MAX}`);
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
