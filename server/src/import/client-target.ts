/**
 * Writes to a server, as any client does.
 *
 * The server's ledger says which streams of a session exist; an item is one transaction, so a stream that exists is a
 * whole item and is not sent again. Were two imports to run at the same time, both would send it, and the server's rule
 * of numbers would store it once.
 */
import { isDeepStrictEqual } from "node:util";
import {
  FencedError,
  InvalidArgumentError,
  NotFoundError,
  type TailkeepClient,
  UnencodableError,
  VersionMismatchError,
} from "@tailkeep/client";
import { IMPORT_WRITER_ID } from "./identity.js";
import type { ImportItem } from "./items.js";
import { SESSIONS_REMEMBERED_MAX } from "./limits.js";
import { type ImportTarget, ItemRefused, type WrittenItem } from "./run.js";
import type { ImportState } from "./state-documents.js";

export class ClientTarget implements ImportTarget {
  private readonly client: TailkeepClient;
  private readonly streamsOfSession = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(client: TailkeepClient) {
    this.client = client;
  }

  async writeItem(item: ImportItem): Promise<WrittenItem> {
    const known = await this.knownStreams(item.sessionId);
    const count = item.records.length;
    if (known.has(item.streamId)) return { storedNew: 0, alreadyThere: count, rejected: 0 };
    const { sessionId, streamId, records } = item;
    const written = await this.client
      .writeRecords({ sessionId, streamId, writerId: IMPORT_WRITER_ID, firstSeq: 1, records })
      .catch(rethrow);
    return { storedNew: count - written.rejected.length, alreadyThere: 0, rejected: written.rejected.length };
  }

  async putState(state: ImportState): Promise<"written" | "unchanged"> {
    const present = await this.client.state.get(state.name);
    if (present && (state.torn || isDeepStrictEqual(present.value, state.value))) return "unchanged";
    try {
      await this.client.state.put(state.name, state.value, { expectedVersion: present?.version ?? 0 });
    } catch (error) {
      // Another import was faster: what it wrote decides.
      if (error instanceof VersionMismatchError) return await this.putState(state);
      rethrow(error);
    }
    return "written";
  }

  /** Asked once a session; the files of one session come close together. */
  private knownStreams(sessionId: string): Promise<ReadonlySet<string>> {
    const remembered = this.streamsOfSession.get(sessionId);
    if (remembered) return remembered;
    for (const oldest of this.streamsOfSession.keys()) {
      if (this.streamsOfSession.size < SESSIONS_REMEMBERED_MAX) break;
      this.streamsOfSession.delete(oldest);
    }
    const asked = this.askForStreams(sessionId);
    this.streamsOfSession.set(sessionId, asked);
    return asked;
  }

  private async askForStreams(sessionId: string): Promise<ReadonlySet<string>> {
    const known = new Set<string>();
    try {
      for await (const line of this.client.admin.getLedger({ sessionId, pageSize: 1_000 })) {
        if (line.committedSeq > 0) known.add(line.streamId);
      }
    } catch (error) {
      // No such session yet.
      if (!(error instanceof NotFoundError)) throw error;
    }
    return known;
  }
}

/** What is wrong with one item is no reason to leave out the others. */
function rethrow(error: unknown): never {
  const isOfThisItem =
    error instanceof InvalidArgumentError || error instanceof UnencodableError || error instanceof FencedError;
  throw isOfThisItem ? new ItemRefused(error.message, { cause: error }) : error;
}

/** Counts what would be written, and writes nothing. */
export class DryRunTarget implements ImportTarget {
  writeItem(item: ImportItem): Promise<WrittenItem> {
    return Promise.resolve({ storedNew: item.records.length, alreadyThere: 0, rejected: 0 });
  }

  putState(): Promise<"written" | "unchanged"> {
    return Promise.resolve("written");
  }
}
