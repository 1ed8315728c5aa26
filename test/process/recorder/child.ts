/** Runs a few lines as a trainer's process of its own. */
import { spawn } from "node:child_process";

export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ms: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly server: string;
  readonly spill: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with what it has printed so far. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** `body` has everything that the package exports as `tk`, and a recorder as `recorder`. */
export function trainer(body: string, { server, spill, env, onOutput }: ChildOptions): Promise<ChildResult> {
  const source = `
    import * as tk from "@tailkeep/client";
    const recorder = tk.openRecorder(JSON.parse(process.env.RECORDER_OPTIONS ?? "{}"));
    const append = (first, last) => {
      for (let n = first; n <= last; n++) recorder.append({ type: "score_history", score: n });
    };
    ${body}
  `;
  const startedMs = performance.now();
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: import.meta.dirname,
    env: {
      ...process.env,
      TAILKEEP_SERVER: server,
      TAILKEEP_SESSION: "end",
      TAILKEEP_SPILL_DIR: spill,
      SOURCE: source,
      ...env,
    },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    onOutput?.(stdout, (signal) => child.kill(signal));
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal, ms: performance.now() - startedMs, stdout, stderr });
    });
  });
}
