/**
 * State documents of the earlier system. Each keeps its place in its name: `training/sessions/x.json` becomes
 * `legacy/training/sessions/x`. A document beyond the limit of a state document is split by its members, into
 * `legacy/training/sessions/x/<member>`.
 */
import { asObject } from "./fields.js";
import { fitJson, jsonBytes } from "./fit-json.js";
import { cleanId } from "./identity.js";
import type { Note } from "./items.js";
import { JSON_DEPTH_MAX, STATE_BYTES_MAX, STATE_NAME_CHARS_MAX } from "./limits.js";
import type { Json } from "./salvage-json.js";

export interface ImportState {
  readonly name: string;
  readonly value: Json;
  /** Salvaged from a torn file: never replaces a document that is there. */
  readonly torn: boolean;
}

const PREFIX = "legacy/";

export function stateDocuments(path: string, value: Json, torn: boolean, note: Note): ImportState[] {
  return documents(PREFIX + path.replace(/\.json$/i, ""), value, torn, note);
}

function documents(name: string, value: Json, torn: boolean, note: Note): ImportState[] {
  const fitted = fitJson(value, { bytesMax: Number.POSITIVE_INFINITY, depthMax: JSON_DEPTH_MAX });
  for (const path of fitted.leftOut) note(`left out ${path}: nested more than ${JSON_DEPTH_MAX} deep`);
  const bytes = jsonBytes(fitted.value);
  if (bytes <= STATE_BYTES_MAX) return [{ name: cleanId(name, STATE_NAME_CHARS_MAX), value: fitted.value, torn }];
  const object = asObject(fitted.value);
  if (object) {
    note(`${bytes} bytes are more than one state document holds: split by its members`);
    return Object.entries(object).flatMap(([key, member]) => documents(`${name}/${key}`, member, torn, note));
  }
  const shorter = fitJson(fitted.value, { bytesMax: STATE_BYTES_MAX, depthMax: JSON_DEPTH_MAX });
  note(`${name}: kept ${jsonBytes(shorter.value)} of ${bytes} bytes, beyond the limit of a state document`);
  return [{ name: cleanId(name, STATE_NAME_CHARS_MAX), value: shorter.value, torn }];
}
