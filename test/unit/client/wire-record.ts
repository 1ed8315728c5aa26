import type { TrainingRecord } from "@tailkeep/client";
import type { Record as WireRecord } from "@tailkeep/proto";

/** What a record must be on the wire, written down independently of the encoder: field by field, by name. */
export function wireRecord(record: TrainingRecord): WireRecord {
  const { type, gameId = "", eventTimeUs, ...fields } = record;
  const value: Record<string, unknown> = { gameId: wellFormed(gameId) };
  for (const [name, field] of Object.entries(fields)) {
    const isJson = ["metadata", "actionSequence", "context", "frameAnalysis"].includes(name);
    if (isJson) value[`${name}Json`] = field === undefined ? undefined : JSON.stringify(field);
    else if (name === "actionsTaken") value[name] = field === undefined ? undefined : BigInt(field as number);
    else value[name] = typeof field === "string" ? wellFormed(field) : field;
  }
  const $case = type.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return {
    eventTimeUs: eventTimeUs === undefined ? undefined : BigInt(eventTimeUs),
    kind: { $case, value } as unknown as NonNullable<WireRecord["kind"]>,
  };
}

/** UTF-8 has no lone surrogates; Node 20 and later replace them. */
function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
