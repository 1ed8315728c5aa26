/** The change that takes the central configuration back to an earlier version: what came after it, undone. */
import { InvalidArgumentError } from "../errors/errors.js";
import {
  type ActionLimits,
  type MemoryLimits,
  SETTING_NAMES,
  type SettingName,
} from "../limits-feed/central-config.js";
import type { ConfigChange, ConfigUpdate } from "./config-change.js";

/**
 * What to update, given the changes newest first. Only if nobody changes anything meanwhile, as it is computed from what
 * was read. @throws InvalidArgumentError
 */
export async function undoneTo(version: number, changes: AsyncIterable<ConfigChange>): Promise<ConfigUpdate> {
  let newest: number | undefined;
  const values = new Map<SettingName, number | undefined>();
  if (Number.isSafeInteger(version) && version >= 0) {
    for await (const change of changes) {
      newest ??= change.version;
      if (change.version <= version) break;
      for (const [name, { before }] of Object.entries(change.settings)) values.set(known(name), before);
    }
  }
  if (!(version >= 0 && version <= (newest ?? 0)) || !Number.isSafeInteger(version)) {
    throw invalid(`version: is ${version}; use one of the history, which ends with ${newest ?? 0}, or 0`);
  }
  const group = (prefix: string): Record<string, number> =>
    Object.fromEntries(
      [...values].flatMap(([name, value]) =>
        value !== undefined && name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    );
  return {
    memoryLimits: group("memoryLimits.") as Partial<MemoryLimits>,
    actionLimits: group("actionLimits.") as Partial<ActionLimits>,
    reset: [...values].flatMap(([name, value]) => (value === undefined ? [name] : [])),
    expectedVersion: newest ?? 0,
  };
}

function known(name: string): SettingName {
  const found = SETTING_NAMES.find((each) => each === name);
  if (found !== undefined) return found;
  throw invalid(`version: a later change is of ${name}, which this SDK does not know; use a newer one`);
}

function invalid(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { code: "BAD_FIELD", retryable: false, grpcStatus: 3 });
}
