/** Every call goes past here before anything of it is read but its headers: who is it, and may it? */
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { RpcError, rpcError } from "../rpc/errors.js";
import type { KeyDirectory, KnownCaller } from "./key-directory.js";
import { isOpen, permits, rolesFor } from "./permissions.js";

export interface DoorkeeperEvents {
  /** A call was refused: name of its method, tailkeep-code. */
  refused(method: string, code: string): void;
}

/** @throws RpcError where it may not call this method */
export function authorize(keys: KeyDirectory, path: string, metadata: Metadata): KnownCaller {
  const caller = keys.identify(metadata.get("authorization"));
  if (permits(caller.roles, path)) return caller;
  throw new RpcError(
    "NOT_PERMITTED",
    `authorization: the key ${caller.keyId ?? ""} has not the role for this; it needs ${rolesFor(path)}`,
  );
}

/** Ends calls that may not go on before their messages are taken: what is not permitted costs its headers alone. */
export function doorkeeper(keys: KeyDirectory, events: DoorkeeperEvents): ServerInterceptor {
  return (method, call) => {
    if (isOpen(method.path)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, pass) => {
            try {
              authorize(keys, method.path, metadata);
            } catch (thrown) {
              const error = rpcError(thrown, () => undefined);
              events.refused(method.path.split("/")[2] ?? "", error.code);
              call.sendStatus(error.toStatus());
              return;
            }
            pass(metadata);
          },
        });
      },
    });
  };
}
