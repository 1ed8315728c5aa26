/** What is wrong with a log: lines that are not the server's, or that say it failed. */

const ERROR_LEVEL = 50;
/** An error, but the database's or the writer's: a writer that says it was acked what nobody has. */
const CLAIMED_BY_WRITERS = "the database had forgotten acked records; stored as a gap";
/** Controls, and marks that turn the direction of writing: what a log must escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** @param output of `tailkeep serve`: the lines of its greeting, and its log */
export function logProblems(output: string): string[] {
  const problems: string[] = [];
  for (const line of output.split("\n")) {
    if (OBEYED.test(line)) problems.push(`obeyed by a terminal: ${JSON.stringify(line)}`);
    if (line === "" || /^(Tailkeep is running| {2}(gRPC|metrics|dashboard|store) )/.test(line)) continue;
    try {
      const { level, msg } = JSON.parse(line) as { level: number; msg: string };
      if (typeof level !== "number" || typeof msg !== "string") problems.push(`not the server's: ${line}`);
      else if (level >= ERROR_LEVEL && msg !== CLAIMED_BY_WRITERS) problems.push(line);
    } catch {
      problems.push(`not JSON: ${line}`);
    }
  }
  return problems;
}

/** The same for the newest part of a log, whose first line may be cut. */
export function newestLogProblems(output: string): string[] {
  return logProblems(output.slice(output.indexOf("\n") + 1));
}
