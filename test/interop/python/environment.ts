/**
 * A Python with the packages of requirements.txt, in a virtual environment of the cache folder that later runs find
 * again. Nothing is installed on the machine.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachedFolder } from "../../support/databases/cache-folder.js";

const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");
const PROTO = join(import.meta.dirname, "..", "..", "..", "proto");
const INSTALL_MS_MAX = 300_000;

const run = promisify(execFile);

export type Python = { readonly executable: string } | { readonly skipped: string };

/** The interpreter, or in one line why there is none. */
export async function pythonWithGrpc(): Promise<Python> {
  let version: string;
  try {
    version = (await run("python3", ["--version"])).stdout.trim();
  } catch {
    return { skipped: "python3 is not on the PATH" };
  }
  const key = createHash("sha256").update(readFileSync(REQUIREMENTS)).update(version).digest("hex").slice(0, 12);
  try {
    const folder = await cachedFolder(`python-${key}`, makeEnvironment);
    return { executable: join(folder, "bin", "python") };
  } catch (error) {
    return { skipped: `${version} cannot have the packages of requirements.txt: ${lastLine(error)}` };
  }
}

/** Makes tailkeep/v1/*_pb2.py and *_pb2_grpc.py below `folder`, as any user would. */
export async function generateStubs(executable: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const outputs = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
  const files = ["records", "ingest"].map((name) => `tailkeep/v1/${name}.proto`);
  await run(executable, ["-m", "grpc_tools.protoc", `--proto_path=${PROTO}`, ...outputs, ...files]);
}

/** The environment is moved once it is whole, which only its own scripts would mind: modules are run by `python -m`. */
async function makeEnvironment(folder: string): Promise<void> {
  await run("python3", ["-m", "venv", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
  await run(join(folder, "bin", "python"), [...pip, "-r", REQUIREMENTS], { timeout: INSTALL_MS_MAX });
}

function lastLine(error: unknown): string {
  const { stderr = "", message = String(error) } = error as { stderr?: string; message?: string };
  return (stderr.trim() || message).split("\n").at(-1) ?? "";
}
