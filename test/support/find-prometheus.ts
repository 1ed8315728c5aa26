/** Where a real Prometheus is. */
import { join } from "node:path";
import { unpackPackage } from "./databases/debian-packages.js";
import { exists } from "./databases/installation.js";

/** The folder of prometheus and promtool, installed or from the distribution's package, or why there is none. */
export async function findPrometheus(): Promise<{ folder: string | undefined; reason: string }> {
  for (const each of [process.env["TAILKEEP_TEST_PROMETHEUS_BIN"] ?? "", "/usr/bin", "/usr/local/bin"]) {
    if (each !== "" && (await exists(join(each, "promtool"))) && (await exists(join(each, "prometheus")))) {
      return { folder: each, reason: "" };
    }
  }
  const reason = "no Prometheus here: install it, or set TAILKEEP_TEST_PROMETHEUS_BIN to its folder.";
  try {
    const root = await unpackPackage("prometheus");
    return { folder: root === undefined ? undefined : join(root, "usr", "bin"), reason };
  } catch (error) {
    return { folder: undefined, reason: `${reason} ${String(error).slice(0, 200)}` };
  }
}
