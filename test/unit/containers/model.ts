// Model-based runs in few words: a command is a name, an argument and what it does to the model and to the real thing.
import fc from "fast-check";

class Step<Model extends object, Real, Argument> implements fc.Command<Model, Real> {
  readonly #name: string;
  readonly #argument: Argument;
  readonly #run: (model: Model, real: Real, argument: Argument) => void;

  constructor(name: string, argument: Argument, run: (model: Model, real: Real, argument: Argument) => void) {
    this.#name = name;
    this.#argument = argument;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Real): void {
    this.#run(model, real, this.#argument);
  }

  toString(): string {
    return `${this.#name}(${fc.stringify(this.#argument)})`;
  }
}

export type Steps<Model extends object, Real> = fc.Arbitrary<fc.Command<Model, Real>>[];

/** Commands of one name with any argument. */
export function step<Model extends object, Real, Argument>(
  name: string,
  argument: fc.Arbitrary<Argument>,
  run: (model: Model, real: Real, argument: Argument) => void,
): fc.Arbitrary<fc.Command<Model, Real>> {
  return argument.map((given) => new Step(name, given, run));
}

/** Runs random commands on pairs of model and real thing. */
export function compare<Model extends object, Real, Setup>(
  setups: fc.Arbitrary<Setup>,
  make: (setup: Setup) => { model: Model; real: Real },
  steps: Steps<Model, Real>,
  numRuns: number,
): void {
  const commands = fc.commands(steps, { maxCommands: 60 });
  fc.assert(
    fc.property(setups, commands, (setup, run) => {
      fc.modelRun(() => make(setup), run);
    }),
    { numRuns },
  );
}
