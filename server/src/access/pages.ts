/** Who may see the pages for operators. */
import { rpcError } from "../rpc/errors.js";
import { DEFAULT_NAMESPACE } from "../store/schema.js";
import type { KeyDirectory } from "./key-directory.js";

export type PageVisit = { namespace: string } | { refused: 401 | 403 | 503; text: string };

/** Loopback sees them as they are; beyond it a key with `read` or `admin` is needed, and shows its own namespace's. */
export function pageVisit(keys: KeyDirectory, isNeeded: boolean, authorization: string | undefined): PageVisit {
  if (!isNeeded) return { namespace: DEFAULT_NAMESPACE };
  try {
    const { roles, namespace } = keys.identify(authorization === undefined ? [] : [authorization]);
    if (roles.includes("read") || roles.includes("admin")) return { namespace };
    return { refused: 403, text: "the key has not the role for this; it needs read or admin" };
  } catch (thrown) {
    const error = rpcError(thrown, () => undefined);
    return { refused: error.code === "STORE_UNAVAILABLE" ? 503 : 401, text: error.message };
  }
}
