/** What the body of a change of a session says. */
import { UpdateSessionRequest } from "@tailkeep/proto";
import { badField } from "../../rpc/errors.js";

const FIELDS = ["name", "labels", "pinned"];

/** @throws RpcError */
export function sessionUpdate(sessionId: string, body: Readonly<Record<string, unknown>>): UpdateSessionRequest {
  const unknown = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    throw badField(unknown.slice(0, 64), `is no field that can be changed here; use ${FIELDS.join(", ")}`);
  }
  const { name, labels, pinned } = body;
  if (name !== undefined && typeof name !== "string") throw badField("name", "is no text");
  if (pinned !== undefined && typeof pinned !== "boolean") throw badField("pinned", "is neither true nor false");
  return UpdateSessionRequest.fromPartial({
    sessionId,
    ...(name === undefined ? {} : { name }),
    ...(labels === undefined ? {} : { labels: { labels: texts(labels) } }),
    ...(pinned === undefined ? {} : { pinned }),
  });
}

function texts(labels: unknown): Record<string, string> {
  const isObject = typeof labels === "object" && labels !== null && !Array.isArray(labels);
  const entries = isObject ? Object.entries(labels) : [];
  if (!isObject || entries.some(([, value]) => typeof value !== "string")) {
    throw badField("labels", "is no object of texts");
  }
  return Object.fromEntries(entries) as Record<string, string>;
}
