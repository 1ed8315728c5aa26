/** How a command fails: one line on stderr that says what to do, and an exit code. */

/** 0 is done. */
export const EXIT_FAILED = 1;
export const EXIT_WRONG_USAGE = 2;

export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT_FAILED) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function fail(command: string, message: string, exitCode: number): void {
  console.error(`tailkeep ${command}: ${message}`);
  process.exitCode = exitCode;
}
