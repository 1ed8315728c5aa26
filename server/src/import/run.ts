/**
 * Carries a plan out: items of a few files in flight at once, and a report of each file when all of it is durable.
 *
 * A failure of one file (unreadable, refused by the server) is that file's; a failure of the target, such as a server
 * that went away, ends the import. Whatever it had written is found again by the next run.
 */
import type { RecordTypeName } from "@tailkeep/client";
import type { ImportItem } from "./items.js";
import { FILES_IN_FLIGHT_MAX, ITEMS_IN_FLIGHT_MAX } from "./limits.js";
import type { FilePlan } from "./plan.js";
import { Slots } from "./slots.js";
import type { ImportState } from "./state-documents.js";
import { addCounts, type FileReport, type FileStatus, type ImportSummary, Summary } from "./summary.js";

export interface WrittenItem {
  readonly storedNew: number;
  readonly alreadyThere: number;
  /** Refused as bad data and kept in the dead letters. */
  readonly rejected: number;
}

/** The target will never take this; the rest of the import goes on. */
export class ItemRefused extends Error {
  override readonly name = "ItemRefused";
}

/** Where an import goes. Rejects with ItemRefused for what it will never take; any other error ends the import. */
export interface ImportTarget {
  /** Resolves when all records of the item are durable. */
  writeItem(item: ImportItem): Promise<WrittenItem>;
  putState(state: ImportState): Promise<"written" | "unchanged">;
}

/** Called after each file; files end in another order than they were begun. */
export type Progress = (report: FileReport) => void;

export async function runImport(
  plan: AsyncIterable<FilePlan>,
  target: ImportTarget,
  progress: Progress = () => {},
): Promise<ImportSummary> {
  const summary = new Summary();
  const fileSlots = new Slots(FILES_IN_FLIGHT_MAX);
  const itemSlots = new StoppableSlots();
  for await (const file of plan) {
    if (itemSlots.failure) break;
    await fileSlots.take();
    void importFile(file, target, itemSlots)
      .then((report) => {
        summary.add(report);
        progress(report);
      })
      .catch((error: unknown) => itemSlots.stop(error))
      .finally(() => fileSlots.give());
  }
  await fileSlots.allGiven();
  if (itemSlots.failure) throw itemSlots.failure.error;
  return summary.result();
}

/** After the first failure nothing more is begun: each attempt on a server that is gone costs its whole deadline. */
class StoppableSlots {
  failure: { readonly error: unknown } | undefined;
  private readonly slots = new Slots(ITEMS_IN_FLIGHT_MAX);

  stop(error: unknown): void {
    this.failure ??= { error };
  }

  async with<T>(use: () => Promise<T>): Promise<T> {
    return await this.slots.with(async () => {
      if (this.failure) throw this.failure.error;
      try {
        return await use();
      } catch (error) {
        if (!(error instanceof ItemRefused)) this.stop(error);
        throw error;
      }
    });
  }
}

async function importFile(file: FilePlan, target: ImportTarget, slots: StoppableSlots): Promise<FileReport> {
  const newRecords: { [Type in RecordTypeName]?: number } = {};
  const knownRecords: { [Type in RecordTypeName]?: number } = {};
  let rejected = 0;
  let statesWritten = 0;
  let statesUnchanged = 0;
  const write = async (item: ImportItem): Promise<void> => {
    const written = await slots.with(() => target.writeItem(item));
    // An item is one transaction, so it is new or known as a whole.
    for (const { type } of item.records) addCounts(written.alreadyThere > 0 ? knownRecords : newRecords, { [type]: 1 });
    rejected += written.rejected;
  };
  const put = async (state: ImportState): Promise<void> => {
    if ((await slots.with(() => target.putState(state))) === "written") statesWritten += 1;
    else statesUnchanged += 1;
  };
  const outcomes = await Promise.allSettled([...file.items.map(write), ...file.states.map(put)]);
  let failure = file.failure;
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    if (!(outcome.reason instanceof ItemRefused)) throw outcome.reason;
    failure ??= outcome.reason.message;
  }
  addCounts(knownRecords, file.repeated);
  return {
    path: file.path,
    kind: file.kind,
    status: failure === undefined ? statusOf(file, Object.keys(newRecords).length > 0, statesWritten > 0) : "failed",
    ...(file.torn ? { torn: file.torn } : {}),
    ...(failure === undefined ? {} : { failure }),
    newRecords,
    knownRecords,
    rejectedRecords: rejected,
    statesWritten,
    statesUnchanged,
    notes: file.notes,
  };
}

function statusOf(file: FilePlan, hasNewRecords: boolean, hasNewStates: boolean): FileStatus {
  if (file.kind === "not ours") return "not ours";
  if (file.torn) return "torn and salvaged";
  if (hasNewRecords) return "imported";
  if (hasNewStates) return file.kind === "state document" ? "state document" : "imported";
  return "already imported";
}
