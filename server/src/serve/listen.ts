/** Listening, and the refusal to do so where anyone could come in. */
import { isLoopback, splitAddress, withPort } from "../config/address.js";

/** An address that may not be listened on, or is taken. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** Throws ListenError for an address beyond loopback, unless that is `allowed`. */
export function refuseUnprotected(setting: string, address: string, allowed: boolean): void {
  if (!isBeyondLoopback(address) || allowed) return;
  throw new ListenError(
    `${setting} ${address} is reachable from other machines, and anyone between could read and write everything; ` +
      "set TAILKEEP_TLS_CERT and TAILKEEP_TLS_KEY, listen on 127.0.0.1, or set TAILKEEP_ALLOW_UNPROTECTED=true if the " +
      "network itself is protected",
  );
}

/** The address with the port that was got. Throws ListenError. */
export async function listening(setting: string, address: string, listen: () => Promise<number>): Promise<string> {
  try {
    return withPort(address, await listen());
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new ListenError(
      `cannot listen on ${address}: ${problem}; end what uses it, or choose another with ${setting}`,
    );
  }
}

export function isBeyondLoopback(address: string): boolean {
  return !isLoopback(splitAddress(address).host);
}
