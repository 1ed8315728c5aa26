import { join } from "node:path";
import { InvalidArgumentError } from "../errors/errors.js";
import { SPILL_BYTES_MAX_DEFAULT, SPILL_FREE_BYTES_MIN_DEFAULT, SPILL_SYNC_MS_DEFAULT } from "../limits.js";

/** Where records wait on disk for a server that is away. */
export interface SpillSettings {
  /** Shared by all processes of a trainer. @default env TAILKEEP_SPILL_DIR, else ".tailkeep/spill" in the working folder */
  readonly folder?: string | undefined;
  /** Most that one process may have on disk, in bytes. @default 1,073,741,824 */
  readonly bytesMax?: number | undefined;
  /** Disk space that is left to others, in bytes. @default 268,435,456 */
  readonly freeBytesMin?: number | undefined;
  /**
   * When what was written is synced, that is, survives a crash of the machine (what was written survives the death of the
   * process in any case): after every write, or at most so many milliseconds after it. @default { everyMs: 200 }
   */
  readonly sync?: "always" | { readonly everyMs: number } | undefined;
}

/** Settings with every default filled in. */
export type ResolvedSpillOptions = {
  readonly [Name in keyof SpillSettings]-?: Exclude<SpillSettings[Name], undefined>;
};

export function resolveSpillOptions(
  settings: SpillSettings = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): ResolvedSpillOptions {
  return Object.freeze({
    folder: settings.folder ?? (env["TAILKEEP_SPILL_DIR"] || join(".tailkeep", "spill")),
    bytesMax: atLeast(settings.bytesMax ?? SPILL_BYTES_MAX_DEFAULT, "spill.bytesMax", 0),
    freeBytesMin: atLeast(settings.freeBytesMin ?? SPILL_FREE_BYTES_MIN_DEFAULT, "spill.freeBytesMin", 0),
    sync: syncPolicy(settings.sync ?? { everyMs: SPILL_SYNC_MS_DEFAULT }),
  });
}

function syncPolicy(sync: "always" | { readonly everyMs: number }): "always" | { readonly everyMs: number } {
  if (sync === "always") return sync;
  return Object.freeze({ everyMs: atLeast(sync.everyMs, "spill.sync.everyMs", 1) });
}

function atLeast(value: number, name: string, min: number): number {
  if (value >= min) return value;
  throw new InvalidArgumentError(`${name} must be at least ${min}, but is ${value}`, {
    code: "BAD_FIELD",
    retryable: false,
    grpcStatus: 3,
  });
}
