/** How a whole item in a JSON column is told from a value that stands there for itself. */

const snakeNames = new Map<string, string>();

/** `winRate` as `win_rate`. */
function snakeCase(name: string): string {
  let snake = snakeNames.get(name);
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakeNames.set(name, snake);
  }
  return snake;
}

/** Columns of the row itself: every record has them, whatever its item said. Compared by hand: this runs once an append. */
function isOfRow(name: string): boolean {
  return name === "type" || name === "gameId" || name === "eventTimeUs";
}

/** Whether the item has fields that no column holds under that very name, so that only the whole item does. */
export function hasMoreThan(
  columns: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, unknown>>,
  jsonColumn: string,
): boolean {
  for (const name in fields) {
    if (fields[name] === undefined || name === jsonColumn) continue;
    if (columns[name] === undefined || isOfRow(name)) return true;
  }
  return false;
}

/** Whether a reader would take `value` for the whole item: it says all that the columns say. */
export function mistakenForWhole(value: unknown, columns: Readonly<Record<string, unknown>>): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return saysAll(value as Readonly<Record<string, unknown>>, columns);
}

/** Whether `whole` has every column under one of its spellings, with the same value. */
export function saysAll(whole: Readonly<Record<string, unknown>>, columns: Readonly<Record<string, unknown>>): boolean {
  for (const name in columns) {
    const column = columns[name];
    if (column === undefined || isOfRow(name)) continue;
    const own = whole[name] ?? whole[snakeCase(name)];
    if (own === undefined || (own !== column && !isSameJson(own, column))) return false;
  }
  return true;
}

/** The whole item with its numbers that JSON cannot say, which the columns do. */
export function restored(
  whole: Readonly<Record<string, unknown>>,
  columns: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  let result = whole;
  for (const name in columns) {
    const column = columns[name];
    if (typeof column !== "number" || Number.isFinite(column)) continue;
    const spelled = name in whole ? name : snakeCase(name);
    if (result === whole) result = { ...whole };
    (result as Record<string, unknown>)[spelled] = column;
  }
  return result;
}

function isSameJson(own: unknown, column: unknown): boolean {
  if (typeof column === "number") return !Number.isFinite(column) && (own === String(column) || Object.is(own, column));
  if (typeof column !== "object" || column === null) return false;
  return JSON.stringify(own) === JSON.stringify(column);
}
