/**
 * The sign that the owner of a folder lives: a socket that it listens on. The system closes it with the process, whatever
 * it dies of, and no identity number of a process can be mistaken for another.
 */

import fs from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { SPILL_OWNER_ANSWER_MS } from "../limits.js";
import { errorCode } from "./disk.js";

export const SOCKET_NAME = "owner.sock";

/** Bytes of a path that a socket may have: 108 on Linux, 104 on macOS, both with a zero at the end. */
const SOCKET_PATH_BYTES_MAX = 103;

/** What a connection says. `silent`: nobody listens on it any more. `missing`: there is no socket. */
export type SocketAnswer = "answers" | "silent" | "missing" | "forbidden";

export interface OwnerSocket {
  /** Stops listening. */
  close(): Promise<void>;
}

/** Listens in `folder`; undefined where that cannot be done. Never keeps the process alive. */
export function listenIn(folder: string, ownerId: string): OwnerSocket | undefined {
  const way = wayTo(folder, ownerId);
  if (way === undefined) return undefined;
  const server = net.createServer({ pauseOnConnect: true }, (connection) => connection.destroy());
  server.unref();
  // Also what would otherwise be thrown: an owner without a socket is judged by its process.
  server.on("error", () => undefined);
  server.listen({ path: way.path, exclusive: true });
  if (!server.listening) {
    way.close();
    return undefined;
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          way.close();
          resolve();
        });
      }),
  };
}

/** Asks the owner of `folder` whether it lives. */
export async function askOwnerOf(folder: string, ownerId: string): Promise<SocketAnswer> {
  const way = wayTo(folder, ownerId);
  if (way === undefined) return "missing";
  try {
    return await new Promise<SocketAnswer>((resolve) => {
      const connection = net.connect({ path: way.path });
      connection.unref();
      const answer = (result: SocketAnswer): void => {
        connection.destroy();
        resolve(result);
      };
      // An owner that is too busy or too stopped to accept is alive all the same.
      connection.setTimeout(SPILL_OWNER_ANSWER_MS, () => answer("answers"));
      connection.on("connect", () => answer("answers"));
      connection.on("error", (error) => answer(ANSWERS[errorCode(error)] ?? "answers"));
    });
  } finally {
    way.close();
  }
}

const ANSWERS: Readonly<Record<string, SocketAnswer>> = {
  ECONNREFUSED: "silent",
  ENOENT: "missing",
  ENOTSOCK: "missing",
  EACCES: "forbidden",
  EPERM: "forbidden",
};

/** Whether a missing socket proves that nobody listens: named pipes cannot be deleted, files can. */
export const MISSING_MEANS_SILENT = process.platform === "win32";

/** A path that a socket may have; undefined if there is none. `close` when the path is not used any more. */
function wayTo(folder: string, ownerId: string): { path: string; close: () => void } | undefined {
  if (process.platform === "win32") return { path: `\\\\.\\pipe\\tailkeep-spill-${ownerId}`, close: () => undefined };
  const path = join(folder, SOCKET_NAME);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return { path, close: () => undefined };
  if (process.platform !== "linux") return undefined;
  let fd: number;
  try {
    fd = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch {
    return undefined;
  }
  return { path: `/proc/self/fd/${fd}/${SOCKET_NAME}`, close: () => fs.closeSync(fd) };
}
