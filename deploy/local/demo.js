// `npm run demo`: a learner whose play is recorded, with a server of its own where none answers. Arguments go to
// `tailkeep demo`.
//
// The own server keeps its data where `npm start` does, so that what was recorded can be looked at afterwards.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, serverNode, TAILKEEP } from "./paths.js";
import { setup } from "./setup.js";

const ADDRESS_DEFAULT = "127.0.0.1:50051";
const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;

await setup();
const node = serverNode();
const args = process.argv.slice(2);
// Who names a server means that one; that it does not answer is for them to know.
const isNamed = Boolean(process.env.TAILKEEP_SERVER) || args.some((arg) => arg.startsWith("--server"));

if (isNamed || (await answers(ADDRESS_DEFAULT))) {
  process.exitCode = await demo(process.env);
} else {
  const address = `127.0.0.1:${await freePort()}`;
  const server = startServer(address);
  try {
    await untilReady(server, address);
    process.exitCode = await demo({ ...process.env, TAILKEEP_SERVER: address });
    if (process.exitCode === 0)
      console.error("demo: its server ends now; run `npm start` first to look at the records");
  } finally {
    await stop(server);
  }
}

async function demo(env) {
  const child = spawn(node, [TAILKEEP, "demo", ...args], { env, stdio: "inherit" });
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  // A terminal sends SIGINT to the child as well. Here it must not end this process before the server is stopped.
  process.on("SIGINT", () => {});
  const [code, signal] = await once(child, "exit");
  return code ?? (signal === "SIGINT" ? 130 : 1);
}

function startServer(address) {
  const env = { ...process.env, TAILKEEP_GRPC_ADDR: address, TAILKEEP_HTTP_ADDR: "127.0.0.1:0" };
  // A group of its own: Ctrl-C is for the demo, which then gets to send what it has. Its output is shown if it fails.
  const server = spawn(node, [TAILKEEP, "serve"], {
    cwd: ROOT,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  server.output = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      server.output = (server.output + text).slice(-4_000);
    });
  }
  process.on("exit", () => server.kill("SIGTERM"));
  return server;
}

async function untilReady(server, address) {
  const giveUpAt = performance.now() + START_MS_MAX;
  while (!(await answers(address))) {
    if (server.exitCode !== null || performance.now() > giveUpAt) {
      console.error(`${server.output}demo: the server did not start; its last words are above`);
      process.exit(1);
    }
    await sleep(50);
  }
}

async function stop(server) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  const late = setTimeout(() => server.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(late);
}

function answers(address) {
  const [host, port] = [address.slice(0, address.lastIndexOf(":")), address.slice(address.lastIndexOf(":") + 1)];
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 1_000 });
    const settle = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => settle(true));
    socket.on("timeout", () => settle(false));
    socket.on("error", () => settle(false));
  });
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
