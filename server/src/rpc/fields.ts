/** Checks of fields that several requests have. All throw RpcError naming the field and the remedy. */
import { ID_CHARS_MAX, LABEL_KEY_CHARS_MAX, LABEL_VALUE_CHARS_MAX, LABELS_MAX } from "../limits.js";
import { idProblem, shortTextProblem } from "../record/text.js";
import { badField } from "./errors.js";

/** An id that must be set. */
export function requiredId(field: string, id: string): string {
  const problem = idProblem(id, ID_CHARS_MAX);
  if (problem !== undefined) throw badField(field, problem);
  return id;
}

/** An id that may be left empty. */
export function optionalId(field: string, id: string): string | undefined {
  return id === "" ? undefined : requiredId(field, id);
}

export function checkLabels(field: string, labels: Record<string, string>): Record<string, string> {
  const entries = Object.entries(labels);
  if (entries.length > LABELS_MAX) throw badField(field, `has ${entries.length} labels; use at most ${LABELS_MAX}`);
  for (const [key, value] of entries) {
    const problem = idProblem(key, LABEL_KEY_CHARS_MAX) ?? shortTextProblem(value, LABEL_VALUE_CHARS_MAX);
    if (problem !== undefined) throw badField(`${field}[${key.slice(0, LABEL_KEY_CHARS_MAX)}]`, problem);
  }
  return labels;
}
