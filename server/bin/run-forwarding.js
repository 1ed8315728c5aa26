// Runs another program in the place of this one: its output, its exit code, and the signals that were meant for it.
import { spawn } from "node:child_process";
import { isatty } from "node:tty";

const FORWARDED = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2"];

/** Ends this process as the program ended. Resolves only if the program could not be started at all, with the error. */
export function runForwarding(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    for (const signal of FORWARDED) process.on(signal, () => forward(child, signal));
    child.on("error", resolve);
    child.on("exit", (code, signal) => endLikewise(code, signal));
  });
}

function forward(child, signal) {
  // Ctrl-C at a terminal reaches the program by itself. A second SIGINT would mean "at once" to it.
  if (signal === "SIGINT" && isatty(0)) return;
  child.kill(signal);
}

function endLikewise(code, signal) {
  if (signal === null) process.exit(code);
  // Whoever waits for this process must see the signal too, not an exit code of our own.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Still here: the signal is ignored, or it is one that Node catches. The number is what a shell would report.
  setTimeout(() => process.exit(128 + (SIGNAL_NUMBERS[signal] ?? 0)), 100);
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };
