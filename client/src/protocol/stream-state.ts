/**
 * The states of a stream.
 *
 *            need to send                StreamOpened             half-close (idle or finishing)
 *   idle ------------------> opening ------------------> open ------------------> halfClosed
 *    ^                        ^   | call ended            | call ended                | call ended
 *    |                   time |   v                       v                           |
 *    |                        waiting <-------------------'                           |
 *    '--------------------------------------------------------------------------------'
 *   any --finish, nothing pending--> closed      any --fatal end--> failed      any --abort--> closed
 */

import type { TailkeepError } from "../errors/errors.js";
import type { StreamInfo } from "../transport/ingest-transport.js";

/** Where a stream stands, and what belongs to that state. */
export type StreamState =
  | { readonly name: "idle" }
  | { readonly name: "opening"; readonly call: number }
  | { readonly name: "open"; readonly call: number; readonly info: StreamInfo }
  | { readonly name: "halfClosed"; readonly call: number }
  | { readonly name: "waiting"; readonly delayMs: number; readonly because: TailkeepError | undefined }
  | { readonly name: "closed" }
  | { readonly name: "failed"; readonly error: TailkeepError };

/** The state's name alone. */
export type StreamStateName = StreamState["name"];

/** From where a state may be entered. */
const ENTERED_FROM: Readonly<Record<StreamStateName, readonly StreamStateName[]>> = {
  idle: ["opening", "open", "halfClosed"],
  opening: ["idle", "waiting", "halfClosed"],
  open: ["opening"],
  halfClosed: ["open"],
  waiting: ["opening", "open", "halfClosed"],
  closed: ["idle", "opening", "open", "halfClosed", "waiting"],
  failed: ["idle", "opening", "open", "halfClosed", "waiting"],
};

/** Whether this is a transition at all. */
export function mayGo(from: StreamStateName, to: StreamStateName): boolean {
  return ENTERED_FROM[to].includes(from);
}
