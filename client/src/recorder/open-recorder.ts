/** Puts a recorder together, and keeps the process's default one. */

import { TailkeepClient } from "../client.js";
import { Limits } from "../limits-feed/limits.js";
import { SpillFolder } from "../spill/index.js";
import { type RecorderOptions, type ResolvedRecorderOptions, resolveRecorderOptions } from "./options.js";
import { Problems } from "./problems.js";
import { Recorder } from "./recorder.js";

/**
 * A recorder of its own: for another server, other limits, or another policy than the default recorder's. Nothing is sent
 * before something is appended. Throws InvalidArgumentError for options that cannot be.
 */
export function openRecorder(options: RecorderOptions = {}): Recorder {
  return assemble(resolveRecorderOptions(options));
}

let defaultRecorder: Recorder | undefined;

/**
 * The process's recorder, made from the environment when it is first asked for: by the first container that is made
 * without one, or here.
 */
export function getDefaultRecorder(): Recorder {
  defaultRecorder ??= openRecorder();
  return defaultRecorder;
}

/** Containers made from now on without a recorder use this one; undefined: a new one from the environment. */
export function setDefaultRecorder(recorder: Recorder | undefined): void {
  defaultRecorder = recorder;
}

function assemble(resolved: ResolvedRecorderOptions): Recorder {
  const client = new TailkeepClient(resolved.connect);
  const problems = new Problems();
  const limits = new Limits((options) => client.config.ask(options));
  const { recording, spill } = resolved;
  if (!recording) limits.stop();
  const folder =
    spill === undefined ? undefined : new SpillFolder({ ...spill, onProblem: (problem) => problems.report(problem) });
  return new Recorder(resolved, {
    client,
    transport: client.ingestTransport(),
    spill: folder,
    problems,
    limits,
    onClose: () => limits.stop(),
  });
}
