/** Everything that doctor looks at, in the order in which one thing depends on the other. Reads only. */
import { ConfigError, type Loaded } from "../config/load.js";
import { checkGrpcAddress, checkHttpAddress } from "./addresses.js";
import { error, type Finding, ok, warning } from "./finding.js";
import { grpcHealth } from "./health.js";
import { checkDisk, checkVersions } from "./machine.js";
import { checkStore } from "./store.js";

/** @param server where clients look for it; undefined: where the configuration says that it listens */
export async function examine(load: () => Loaded, server: string | undefined): Promise<Finding[]> {
  const versions = checkVersions();
  let loaded: Loaded;
  try {
    loaded = load();
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return [versions, error("configuration", thrown.message, "correct it; nothing else can be checked before")];
  }
  const { config } = loaded;
  return [
    versions,
    configurationFinding(loaded),
    ...(await checkDisk(config)),
    ...(await checkStore(config)),
    await checkGrpcAddress(config),
    await checkHttpAddress(config),
    await checkServer(server ?? config.grpcAddr, config.tlsCert !== ""),
  ];
}

function configurationFinding({ file, sources }: Loaded): Finding {
  const changed = Object.entries(sources)
    .filter(([, source]) => source !== "default")
    .map(([path, source]) => `${path} by ${source}`);
  const from = file === undefined ? "no tailkeep.yaml" : file;
  return ok(
    "configuration",
    `${from}; ${changed.length === 0 ? "all settings at their defaults" : `set: ${changed.join(", ")}`}`,
  );
}

/** A server elsewhere may have another mind about TLS than the configuration here; who it is, clients check themselves. */
async function checkServer(named: string, isTlsExpected: boolean): Promise<Finding> {
  const address = named.replace(/^https:\/\//i, "").replace(/\/$/, "");
  let withTls = isTlsExpected;
  let health = await grpcHealth(address, withTls);
  if (health === "no answer") {
    withTls = !withTls;
    health = await grpcHealth(address, withTls);
  }
  switch (health) {
    case "serving":
      return ok("server", `${address} is serving${withTls ? ", with TLS" : ""}`);
    case "not serving":
      return error("server", `${address} answers, and is not ready`, "see its log: it waits for its store");
    default:
      return warning("server", `nothing answers at ${address}`, "start it with npm start, or name it with --server");
  }
}
