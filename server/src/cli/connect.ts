/** The commands that talk to a server: where it is, and what to say when it is not there. */
import { connect, DeadlineError, type TailkeepClient, UnavailableError } from "@tailkeep/client";
import type { Command } from "commander";
import { CommandFailure, EXIT_FAILED, fail } from "./failure.js";

export interface ServerFlag {
  readonly server?: string;
}

export function addServerOption(command: Command): Command {
  return command.option("--server <host:port>", "which server (default: TAILKEEP_SERVER, or 127.0.0.1:50051)");
}

/** Runs `work` with a client; an error becomes one line on stderr and an exit code. */
export async function withClient(
  command: string,
  flags: ServerFlag,
  work: (client: TailkeepClient) => Promise<void>,
): Promise<void> {
  let client: TailkeepClient | undefined;
  try {
    client = connect({ server: flags.server });
    await work(client);
  } catch (error) {
    const exitCode = error instanceof CommandFailure ? error.exitCode : EXIT_FAILED;
    fail(command, explain(error, client?.options.server), exitCode);
  } finally {
    // Nothing was written, or all of it is durable already: there is nothing to wait for.
    await client?.close({ timeoutMs: 1_000 }).catch(() => {});
  }
}

/** An error as one line with the remedy. `afterwards`: what to do once the server is there. */
export function explain(error: unknown, server: string | undefined, afterwards?: string): string {
  if (error instanceof UnavailableError && error.code === "STORE_UNAVAILABLE") {
    return `the server at ${server} waits for its store: see its log, or ask tailkeep doctor`;
  }
  if (error instanceof UnavailableError || error instanceof DeadlineError) {
    const then = afterwards === undefined ? "" : `; then ${afterwards}`;
    return `no answer from the server at ${server}: start it with npm start, or name it with --server${then}`;
  }
  return error instanceof Error ? error.message : String(error);
}
