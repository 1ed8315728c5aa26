/** StateService: named, versioned JSON documents. */
import {
  DeleteStateRequest,
  type DeleteStateResponse,
  GetStateRequest,
  ListStatesRequest,
  type ListStatesResponse,
  PutStateRequest,
  type StateDocument,
  StateServiceService,
} from "@tailkeep/proto";
import {
  PAGE_SIZE_DEFAULT,
  PAGE_SIZE_MAX,
  SAFE_INTEGER_MAX,
  STATE_BYTES_MAX,
  STATE_NAME_CHARS_MAX,
} from "../limits.js";
import { idProblem, jsonProblem, shortTextProblem } from "../record/text.js";
import { badField, RpcError } from "../rpc/errors.js";
import { decodePageToken, encodePageToken, pageSize } from "../rpc/page-token.js";
import type { Service } from "../rpc/server.js";
import { type Gate, unary } from "../rpc/unary.js";
import type { StateRow } from "../store/state.js";
import type { Store } from "../store/store.js";

function checkName(name: string): string {
  const problem = idProblem(name, STATE_NAME_CHARS_MAX);
  if (problem !== undefined) throw badField("name", problem);
  return name;
}

function expected(version: bigint | undefined): number | null {
  if (version === undefined) return null;
  const number = Number(version);
  if (number < 0 || number > SAFE_INTEGER_MAX)
    throw badField("expected_version", "must be 0 or a version that was read");
  return number;
}

function mismatch(name: string, version: number): RpcError {
  const found = version === 0 ? "does not exist" : `has version ${version}`;
  return new RpcError("VERSION_MISMATCH", `expected_version: ${name} ${found}; read it again, and decide anew`);
}

function notFound(name: string): RpcError {
  return new RpcError("NOT_FOUND", `name: there is no document ${name}; ListStates has all of them`);
}

function message(row: StateRow): StateDocument {
  return {
    name: row.name,
    valueJson: row.valueJson,
    version: BigInt(row.version),
    updatedAtUs: BigInt(row.updatedAtUs),
  };
}

async function putState(store: Store, namespace: string, request: PutStateRequest): Promise<StateDocument> {
  const name = checkName(request.name);
  const problem = jsonProblem(request.valueJson, Buffer.byteLength(request.valueJson), STATE_BYTES_MAX);
  if (problem !== undefined) throw badField("value_json", problem);
  const outcome = await store.state.put(namespace, name, request.valueJson, expected(request.expectedVersion));
  if (outcome.kind === "mismatch") throw mismatch(name, outcome.version);
  return message({ name, valueJson: request.valueJson, version: outcome.version, updatedAtUs: outcome.updatedAtUs });
}

async function getState(store: Store, namespace: string, request: GetStateRequest): Promise<StateDocument> {
  const row = await store.reads.state(namespace, checkName(request.name));
  if (row === undefined) throw notFound(request.name);
  return message(row);
}

async function listStates(store: Store, namespace: string, request: ListStatesRequest): Promise<ListStatesResponse> {
  const { prefix, includeValues } = request;
  const problem = shortTextProblem(prefix, STATE_NAME_CHARS_MAX);
  if (problem !== undefined) throw badField("prefix", problem);
  const limit = pageSize(request.pageSize, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX);
  const question = ["states", namespace, prefix];
  const token = decodePageToken(request.pageToken, question, ["string"]);
  const rows = await store.reads.listStates(namespace, prefix, String(token?.[0] ?? ""), limit, includeValues);
  const last = rows.at(-1);
  // A page cut short by its bytes has a next one too; a full last page costs one empty page more.
  const more = last !== undefined && (rows.length === limit || includeValues);
  return {
    documents: rows.map(message),
    nextPageToken: more ? encodePageToken(question, [last.name]) : "",
  };
}

async function deleteState(store: Store, namespace: string, request: DeleteStateRequest): Promise<DeleteStateResponse> {
  const name = checkName(request.name);
  const outcome = await store.state.delete(namespace, name, expected(request.expectedVersion));
  if (outcome.kind === "missing") throw notFound(name);
  if (outcome.kind === "mismatch") throw mismatch(name, outcome.version);
  return {};
}

export function stateService(store: Store, gate: Gate): Service {
  return {
    definition: StateServiceService,
    implementation: {
      putState: unary("PutState", gate, PutStateRequest, (namespace, request) => putState(store, namespace, request)),
      getState: unary("GetState", gate, GetStateRequest, (namespace, request) => getState(store, namespace, request)),
      listStates: unary("ListStates", gate, ListStatesRequest, (namespace, request) =>
        listStates(store, namespace, request),
      ),
      deleteState: unary("DeleteState", gate, DeleteStateRequest, (namespace, request) =>
        deleteState(store, namespace, request),
      ),
    },
  };
}
