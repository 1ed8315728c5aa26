/** `tailkeep serve`: runs the server until a signal. */
import type { Command } from "commander";
import { withoutTokens } from "../../access/secret.js";
import { withoutSecrets } from "../../config/load.js";
import { addConfigFlags, configFromFlags } from "../config-flags.js";

const EXAMPLES = `
Examples:
  tailkeep serve
  tailkeep serve --store sqlite:/var/lib/tailkeep/tailkeep.db --retention-days 90
  TAILKEEP_STORE=mysql://user:password@host:3306/database tailkeep serve`;

export function registerServe(program: Command): void {
  const command = program
    .command("serve")
    .description("Runs the server. Prints where it listens; logs go to stderr as JSON lines.")
    .addHelpText("after", EXAMPLES)
    .action((options: Record<string, unknown>) => serve(options));
  addConfigFlags(command);
}

async function serve(options: Record<string, unknown>): Promise<void> {
  const { config, file } = configFromFlags(options);
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
  const { store } = withoutSecrets(config);
  const web = config.tlsCert === "" ? "http" : "https";
  process.stdout.write(
    `Tailkeep is running${file === undefined ? "" : ` with ${file}`}.\n` +
      `  gRPC       ${server.grpcAddr}\n` +
      `  metrics    ${web}://${server.httpAddr}/metrics\n` +
      `  dashboard  ${web}://${server.httpAddr}/\n` +
      `  store      ${store}\n`,
  );
  await Promise.race([stopped.promise, server.failed]).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
}
