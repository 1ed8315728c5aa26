/** Makes the dashboard, where its sources are newer than what is there. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const BUILD = join(import.meta.dirname, "..", "..", "..", "server", "dashboard", "build.js");

export async function buildDashboard(): Promise<void> {
  await promisify(execFile)(process.execPath, [BUILD]);
}
