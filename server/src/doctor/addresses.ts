/** Whether the addresses to listen on are free, and who has them if they are not. */
import { createServer } from "node:net";
import { VERSION } from "../base/version.js";
import { splitAddress } from "../config/address.js";
import { environmentName } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { error, type Finding, ok, warning } from "./finding.js";
import { grpcHealth, httpHealth } from "./health.js";

export async function checkGrpcAddress({ grpcAddr, tlsCert }: Config): Promise<Finding> {
  const check = "gRPC address";
  const problem = await listenProblem(grpcAddr);
  if (problem === undefined) return ok(check, `${grpcAddr} is free`);
  const setting = environmentName(["grpcAddr"]);
  if (problem !== "EADDRINUSE") return notOurs(check, grpcAddr, problem, setting);
  switch (await grpcHealth(grpcAddr, tlsCert !== "", "tailkeep.v1.IngestService")) {
    case "serving":
      return ok(check, `a Tailkeep serves at ${grpcAddr}`);
    case "not serving":
      return warning(
        check,
        `a Tailkeep is at ${grpcAddr}, and its store does not answer`,
        "see the findings on the store",
      );
    default:
      return taken(check, grpcAddr, setting);
  }
}

export async function checkHttpAddress({ httpAddr, tlsCert }: Config): Promise<Finding> {
  const check = "HTTP address";
  const problem = await listenProblem(httpAddr);
  if (problem === undefined) return ok(check, `${httpAddr} is free`);
  const setting = environmentName(["httpAddr"]);
  if (problem !== "EADDRINUSE") return notOurs(check, httpAddr, problem, setting);
  const answer = await httpHealth(httpAddr, tlsCert !== "");
  if (answer?.version === undefined) return taken(check, httpAddr, setting);
  if (answer.version !== VERSION && answer.version !== "unsaid") {
    return warning(
      check,
      `Tailkeep ${answer.version} is at ${httpAddr}, this command is ${VERSION}`,
      "restart the server",
    );
  }
  return ok(check, `${answer.version === "unsaid" ? "a Tailkeep" : `Tailkeep ${answer.version}`} is at ${httpAddr}`);
}

function taken(check: string, address: string, setting: string): Finding {
  return error(check, `another program listens on ${address}`, `end it, or choose another address with ${setting}`);
}

function notOurs(check: string, address: string, problem: string, setting: string): Finding {
  return error(check, `${address} cannot be listened on (${problem})`, `choose another address with ${setting}`);
}

/** The code of what stands in the way; undefined if it is free. */
async function listenProblem(address: string): Promise<string | undefined> {
  const { host, port } = splitAddress(address);
  return await new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (problem: NodeJS.ErrnoException) => resolve(problem.code ?? problem.message));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
