/** The server that was let in to, for every view. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ServerInfo } from "./model.js";

export const ServerContext = createContext<ServerInfo | undefined>(undefined);

export function useServer(): ServerInfo {
  const server = useContext(ServerContext);
  if (server === undefined) throw new Error("a view is shown before the door was opened");
  return server;
}

/** What the caller's roles permit, as the server's own table has it. */
export function useMay(): { edit: boolean; remove: boolean } {
  const { roles } = useServer();
  const isAdmin = roles.includes("admin");
  return { edit: isAdmin || roles.includes("write"), remove: isAdmin };
}
