/** `tailkeep serve`: runs the server until a signal. */
import { isatty } from "node:tty";
import type { Command } from "commander";
import type { Logger } from "pino";
import { withoutTokens } from "../../access/secret.js";
import { systemClock } from "../../base/clock.js";
import { type Loaded, withoutSecrets } from "../../config/load.js";
import { ConfigReloader } from "../../config/reload.js";
import type { RunningServer } from "../../serve.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";

const EXAMPLES = `
Examples:
  tailkeep serve
  tailkeep serve --store sqlite:/var/lib/tailkeep/tailkeep.db --retention-days 90
  TAILKEEP_STORE=mysql://user:password@host:3306/database tailkeep serve

Follows tailkeep.yaml while it runs, seconds after a change or at once on SIGHUP; settings that do not apply at once are
named in the log, and apply at restart. A file that is wrong changes nothing.`;

export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("Runs the server. Prints where it listens; logs go to stderr as JSON lines.")
    .addHelpText("after", EXAMPLES)
    .action((options: Record<string, unknown>) => serve(options));
  addConfigFlags(command);
}

async function serve(options: Record<string, unknown>): Promise<void> {
  const loaded = configFromFlags(options);
  const { config, file } = loaded;
  // Loaded here: it is half of a second that the other commands do not have to wait.
  const [{ pino }, { setLogger }, { startServer }] = await Promise.all([
    import("pino"),
    import("@grpc/grpc-js"),
    import("../../serve.js"),
  ]);
  // Synchronous: the last line before an exit must not be lost, and the server logs little.
  const log = pino({ level: config.logLevel }, pino.destination({ fd: 2, sync: true }));
  // Its errors come to us as errors too; as lines of its own they would stand between those of the log. With GRPC_TRACE
  // set it traces every header, those with keys included.
  const toLog = (message: unknown) => log.debug({ from: "grpc-js" }, withoutTokens(String(message)));
  setLogger({ error: toLog, info: toLog, debug: toLog });
  const server = await startServer(config, log);
  const stopped = Promise.withResolvers<void>();
  const onSignal = (signal: NodeJS.Signals) => {
    log.info({ signal }, "shutting down: committing and acking what was accepted");
    server.close().then(stopped.resolve, stopped.reject);
    // A second signal does not wait.
    process.once(signal, () => process.exit(1));
  };
  process.once("SIGTERM", onSignal);
  process.once("SIGINT", onSignal);
  const stopFollowing = new AbortController();
  const reloader = followFile(loaded, () => configFromFlags(options), server, log);
  const following = reloader.keep(stopFollowing.signal, systemClock);
  // A terminal that was closed sends the same signal, and means the end.
  const hasTerminal = isatty(1);
  process.on("SIGHUP", () => {
    if (hasTerminal && !isatty(1)) onSignal("SIGHUP");
    else reloader.reload();
  });
  const { store } = withoutSecrets(config);
  const web = config.tlsCert === "" ? "http" : "https";
  process.stdout.write(
    `Tailkeep is running${file === undefined ? "" : ` with ${file}`}.\n` +
      `  gRPC       ${server.grpcAddr}\n` +
      `  metrics    ${web}://${server.httpAddr}/metrics\n` +
      `  dashboard  ${web}://${server.httpAddr}/\n` +
      `  store      ${store}\n`,
  );
  try {
    await Promise.race([stopped.promise, server.failed]);
  } catch (error) {
    await server.close();
    throw error;
  } finally {
    stopFollowing.abort();
    await following;
  }
}

function followFile(started: Loaded, load: () => Loaded, server: RunningServer, log: Logger): ConfigReloader {
  return new ConfigReloader(started, load, {
    reloaded: ({ config, applied, atRestart, isOtherAtRestart }) => {
      server.apply(config);
      log.info({ applied }, applied.length === 0 ? "configuration read: nothing to apply" : "configuration changed");
      if (isOtherAtRestart && atRestart.length > 0) {
        log.warn({ settings: atRestart }, `configuration changed, takes effect at restart: ${atRestart.join(", ")}`);
      }
    },
    refused: (error) => {
      server.refused();
      log.error(`the configuration before goes on: ${error.message}`);
    },
  });
}
