/**
 * Options of the commands that are the long forms of tests: `npm run NAME -- OPTIONS`. They are described once; help and
 * errors come from that. What cannot be is said with where the help is, and ends the process with 2.
 */
import { parseArgs } from "node:util";

export interface Option {
  readonly type: "string" | "boolean";
  /** @default none; false for a boolean */
  readonly default?: string;
  /** What stands for the value in the help: "N", "sqlite|mysql". Required of strings. */
  readonly value?: string;
  readonly says: string;
}

type ValueOf<Described extends Option> = Described["type"] extends "boolean"
  ? boolean
  : Described extends { readonly default: string }
    ? string
    : string | undefined;

export class CommandLine<const Options extends Readonly<Record<string, Option>>> {
  readonly values: { readonly [Name in keyof Options]: ValueOf<Options[Name]> };
  readonly #name: string;

  constructor(name: string, about: string, options: Options) {
    this.#name = name;
    const config = Object.fromEntries(
      Object.entries(options).map(([option, { type, default: given }]) => [
        option,
        { type, ...(type === "boolean" ? { default: false } : given === undefined ? {} : { default: given }) },
      ]),
    );
    const { help, ...values } = this.#parse({ ...config, help: { type: "boolean", short: "h", default: false } });
    if (help === true) {
      console.log(helpText(name, about, options));
      process.exit(0);
    }
    this.values = values as typeof this.values;
  }

  /** A whole number of at least `least`; undefined where it is not given. */
  whole<Name extends keyof Options & string>(
    name: Name,
    least = 1,
  ): Options[Name] extends { readonly default: string } ? number : number | undefined {
    const text = this.values[name] as string | undefined;
    const value = text === undefined ? undefined : Number(text);
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
      this.refuse(`--${name} must be a whole number of at least ${least}, but is ${text}`);
    }
    return value as Options[Name] extends { readonly default: string } ? number : number | undefined;
  }

  /** One of these; undefined where it is not given. */
  oneOf<Name extends keyof Options & string, const Choice extends string>(
    name: Name,
    choices: readonly Choice[],
  ): Options[Name] extends { readonly default: string } ? Choice : Choice | undefined {
    const text = this.values[name] as string | undefined;
    const choice = choices.find((each) => each === text);
    if (text !== undefined && choice === undefined) {
      this.refuse(`--${name} must be one of ${choices.join(", ")}, but is ${text}`);
    }
    return choice as Options[Name] extends { readonly default: string } ? Choice : Choice | undefined;
  }

  refuse(problem: string): never {
    console.error(`${this.#name}: ${problem}; see: npm run ${this.#name} -- --help`);
    process.exit(2);
  }

  #parse(options: NonNullable<Parameters<typeof parseArgs>[0]>["options"]): Record<string, unknown> {
    try {
      return parseArgs({ options: options ?? {} }).values;
    } catch (error) {
      return this.refuse((error as Error).message.split(". ")[0] as string);
    }
  }
}

function helpText(name: string, about: string, options: Readonly<Record<string, Option>>): string {
  const lines = Object.entries(options).map(([option, { value, default: given, says }]) => {
    const left = `--${option}${value === undefined ? "" : ` ${value}`}`;
    return { left, right: given === undefined ? says : `${says} (default: ${given})` };
  });
  const width = Math.max(...lines.map(({ left }) => left.length)) + 2;
  return [
    `usage: npm run ${name} -- [options]`,
    "",
    about,
    "",
    "options:",
    ...lines.map(({ left, right }) => `  ${left.padEnd(width)}${right}`),
  ].join("\n");
}
