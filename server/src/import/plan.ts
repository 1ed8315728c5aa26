/**
 * What an import would do with each file of a directory. Only one file is in memory at a time.
 *
 * Where several files hold the same item, the first one wins: whole files come in the order of their paths, then the
 * torn ones, so that a torn copy never displaces a whole one.
 */
import { basename } from "node:path";
import type { RecordTypeName } from "@tailkeep/client";
import { actionIntelligenceItems } from "./action-intelligence.js";
import { classify, type FileKind, hasJsonName } from "./classify.js";
import { asObject, type JsonObject } from "./fields.js";
import type { ImportItem, Note } from "./items.js";
import { NOTES_MAX, SEEN_ITEMS_MAX } from "./limits.js";
import { looseResultItems } from "./loose-result.js";
import { type Json, type Salvage, salvageJson } from "./salvage-json.js";
import { sessionResultItems } from "./session-results.js";
import { readSourceFile, type SourceFile, sourceFiles } from "./source-files.js";
import { type ImportState, stateDocuments } from "./state-documents.js";

export interface FilePlan {
  /** Relative to the directory, with "/". */
  readonly path: string;
  readonly kind: FileKind;
  /** Where it is torn: the byte at which it stops being JSON. */
  readonly torn?: { readonly atByte: number; readonly salvaged: boolean };
  /** Why it could not be read or understood. */
  readonly failure?: string;
  readonly items: readonly ImportItem[];
  readonly states: readonly ImportState[];
  /** Records of items that an earlier file brought already, by type. */
  readonly repeated: RecordCounts;
  /** What limits made it leave out, at most NOTES_MAX of them. */
  readonly notes: readonly string[];
}

export type RecordCounts = { readonly [Type in RecordTypeName]?: number };

export async function* planImport(directory: string): AsyncGenerator<FilePlan> {
  const seen = new SeenItems();
  const tornPaths: string[] = [];
  for await (const file of sourceFiles(directory)) {
    const read = await readAndSalvage(directory, file);
    if (read.salvage?.torn) tornPaths.push(file.path);
    else yield planFile(file.path, read, seen);
  }
  for (const path of tornPaths) {
    yield planFile(path, await readAndSalvage(directory, { path, isRegular: true }), seen);
  }
}

interface ReadFile {
  readonly salvage?: Salvage;
  readonly isEmpty?: boolean;
  readonly failure?: string;
}

async function readAndSalvage(directory: string, file: SourceFile): Promise<ReadFile> {
  if (!file.isRegular || !hasJsonName(file.path)) return {};
  try {
    const bytes = await readSourceFile(directory, file.path);
    const salvage = salvageJson(bytes);
    // Zero bytes are what a file system leaves of a write that it had not finished.
    return { salvage, isEmpty: salvage.value === undefined && /^[\s\0]*$/.test(bytes.toString("latin1")) };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function planFile(path: string, read: ReadFile, seen: SeenItems): FilePlan {
  const nothing = { path, items: [], states: [], repeated: {}, notes: [] };
  if (read.failure !== undefined) return { ...nothing, kind: "not ours", failure: read.failure };
  const { salvage } = read;
  if (!salvage) return { ...nothing, kind: "not ours" };
  const kind = classify(basename(path), salvage.value, read.isEmpty ?? false);
  if (kind === "not ours") return { ...nothing, kind };
  const notes: string[] = [];
  const note = (text: string): void => {
    if (notes.length < NOTES_MAX && !notes.includes(text)) notes.push(text);
  };
  let content: ReturnType<typeof contentOf> = { items: [], states: [] };
  try {
    if (salvage.value !== undefined) content = contentOf(kind, path, salvage.value, salvage.torn, note);
  } catch (error) {
    // One file that nobody foresaw must not keep the others out.
    return { ...nothing, kind, failure: `it could not be understood: ${messageOf(error)}` };
  }
  return {
    path,
    kind,
    ...(salvage.torn ? { torn: { atByte: salvage.tornAtByte ?? 0, salvaged: salvage.value !== undefined } } : {}),
    ...seen.sort(content.items),
    states: content.states,
    notes,
  };
}

function contentOf(
  kind: FileKind,
  path: string,
  value: Json,
  torn: boolean,
  note: Note,
): { items: ImportItem[]; states: ImportState[] } {
  const stem = basename(path).replace(/\.json$/i, "");
  const root = asObject(value) ?? ({} as JsonObject);
  switch (kind) {
    case "session results":
      // A list of reports is a report whose members have no names.
      return { items: sessionResultItems(asObject(value) ?? { list: value }, stem, note), states: [] };
    case "loose result":
      return { items: looseResultItems(root, stem, note), states: [] };
    case "action intelligence": {
      const game = stem.replace(/^action_intelligence_/i, "");
      return { items: actionIntelligenceItems(root, game, note), states: stateDocuments(path, value, torn, note) };
    }
    default:
      return { items: [], states: stateDocuments(path, value, torn, note) };
  }
}

/**
 * Which items this run has brought already. Beyond its bound the oldest are forgotten; they would be sent again, and the
 * server would find them there.
 */
class SeenItems {
  private readonly streamIds = new Set<string>();

  sort(items: readonly ImportItem[]): { items: ImportItem[]; repeated: RecordCounts } {
    const fresh: ImportItem[] = [];
    const repeated: { [Type in RecordTypeName]?: number } = {};
    const own = new Set<string>();
    for (const item of items) {
      const key = `${item.sessionId}\n${item.streamId}`;
      if (own.has(key)) continue; // Said twice in the same file: nothing to report.
      own.add(key);
      if (!this.streamIds.has(key)) {
        fresh.push(item);
        continue;
      }
      for (const { type } of item.records) repeated[type] = (repeated[type] ?? 0) + 1;
    }
    for (const key of own) this.remember(key);
    return { items: fresh, repeated };
  }

  private remember(key: string): void {
    this.streamIds.add(key);
    if (this.streamIds.size > SEEN_ITEMS_MAX) {
      for (const oldest of this.streamIds) {
        this.streamIds.delete(oldest);
        break;
      }
    }
  }
}
