/**
 * Ends a private server when the test process dies in whatever way, SIGKILL included, and removes its folder.
 *
 * A small shell sits at the other end of a pipe. The kernel closes that pipe with the test process, which is the one
 * signal that no death can skip. The shell is told the server's process id while there is one, so that it never kills
 * an id that has been given to somebody else since.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

const SCRIPT = `
pid=
while read -r word value; do
  case $word in
    guard) pid=$value ;;
    release) pid= ;;
    leave) exit 0 ;;
  esac
done
[ -n "$pid" ] && kill -9 "$pid" && sleep 0.3
rm -rf -- "$1"
`;

export class Watchdog {
  private readonly shell: ChildProcess;

  constructor(folder: string) {
    // Detached: an interrupt typed at the terminal goes to the whole foreground group, and this one must outlive it.
    this.shell = spawn("/bin/sh", ["-c", SCRIPT, "watchdog", folder], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.shell.unref();
    const pipe = this.shell.stdin as Socket;
    pipe.unref();
    pipe.on("error", () => {}); // The shell is gone, and with it the only thing that could be told.
  }

  guard(pid: number): void {
    this.tell(`guard ${pid}`);
  }

  release(): void {
    this.tell("release");
  }

  leave(): void {
    this.tell("leave");
  }

  private tell(line: string): void {
    this.shell.stdin?.write(`${line}\n`);
  }
}
