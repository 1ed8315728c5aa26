/**
 * Follows tailkeep.yaml while the server runs: on demand, and after the file was changed. What it says then goes the way of
 * the start, so flags and variables still come before it and the whole is checked. Either all of it is taken over or none.
 *
 * The file is looked at rather than watched: a mounted one is replaced by a link above it, of which a watcher hears
 * nothing. A new text counts once it was found twice, so that an editor may write in pieces.
 */
import type { Clock } from "../base/clock.js";
import { CONFIG_FILE_POLL_MS } from "../limits.js";
import { ConfigError, configText, type Loaded, SETTINGS, type Setting, settingAt } from "./load.js";
import type { Config } from "./schema.js";

export interface Reloaded {
  /** What the server shall use from now on: every live setting as it is now, every other one as it was at start. */
  readonly config: Config;
  /** Live settings that changed, by dotted path, with both values. */
  readonly applied: readonly { readonly setting: string; readonly before: unknown; readonly after: unknown }[];
  /** Settings that the file has otherwise than the server was started with, by dotted path. */
  readonly atRestart: readonly string[];
  /** Whether `atRestart` has become another list. */
  readonly isOtherAtRestart: boolean;
}

export interface ReloadEvents {
  reloaded(change: Reloaded): void;
  /** Nothing was changed; what is wrong, with the remedy. */
  refused(error: ConfigError): void;
}

export class ConfigReloader {
  readonly #started: Config;
  readonly #load: () => Loaded;
  readonly #events: ReloadEvents;
  /** That was read last; undefined: there was none. */
  #file: string | undefined;
  #running: Config;
  #atRestart: readonly string[] = [];
  /** Of the file that was last acted upon, well or badly. */
  #text: string | undefined;
  /** Found once, and not acted upon yet. */
  #newText: string | undefined;

  /** @param load puts the configuration together again, in the way of the start */
  constructor(started: Loaded, load: () => Loaded, events: ReloadEvents) {
    this.#started = started.config;
    this.#running = started.config;
    this.#load = load;
    this.#events = events;
    this.#file = started.file;
    this.#text = started.fileText;
    this.#newText = started.fileText;
  }

  /** Reads it now, changed or not. */
  reload(): void {
    try {
      const loaded = this.#load();
      if (this.#file !== undefined && loaded.file === undefined) {
        throw new ConfigError(`${this.#file}: the file is gone; put it back, or restart the server to run without it`);
      }
      this.#file = loaded.file;
      this.#text = loaded.fileText;
      this.#take(loaded.config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#events.refused(error);
    }
  }

  /** Until aborted: looks whether the file was changed. */
  async keep(signal: AbortSignal, clock: Clock): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(CONFIG_FILE_POLL_MS, signal);
      if (!signal.aborted) this.#look();
    }
  }

  #look(): void {
    const text = this.#currentText();
    const isSettled = text === this.#newText;
    this.#newText = text;
    if (!isSettled || text === this.#text) return;
    // Also where it is refused: the same mistake is said once.
    this.#text = text;
    this.reload();
  }

  #currentText(): string | undefined {
    try {
      return configText(this.#file);
    } catch {
      // Not readable at the moment; as good as gone, and said as such once it stays so.
      return undefined;
    }
  }

  #take(wanted: Config): void {
    const applied = SETTINGS.filter(({ live }) => live).flatMap(({ path }) => {
      const [before, after] = [settingAt(this.#running, path), settingAt(wanted, path)];
      return isSame(before, after) ? [] : [{ setting: path.join("."), before, after }];
    });
    const atRestart = SETTINGS.filter(
      ({ path, live }) => !live && !isSame(settingAt(this.#started, path), settingAt(wanted, path)),
    ).map(({ path }) => path.join("."));
    const isOtherAtRestart = !isSame(atRestart, this.#atRestart);
    this.#atRestart = atRestart;
    this.#running = withLive(this.#started, wanted);
    this.#events.reloaded({ config: this.#running, applied, atRestart, isOtherAtRestart });
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** `started` with the live settings of `wanted`. */
function withLive(started: Config, wanted: Config): Config {
  const config = structuredClone(started);
  for (const setting of SETTINGS) if (setting.live) put(config, setting, settingAt(wanted, setting.path));
  return config;
}

function put(config: Config, { path }: Setting, value: unknown): void {
  const holder = settingAt(config, path.slice(0, -1)) as Record<string, unknown>;
  holder[path.at(-1) as string] = value;
}
