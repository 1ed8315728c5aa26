/** Takes the rows of the earlier system's database into a server: batch by batch, each one transaction and one stream. */
import {
  InvalidArgumentError,
  NotFoundError,
  type RecordTypeName,
  type TailkeepClient,
  type TrainingRecord,
} from "@tailkeep/client";
import { cleanId, IMPORT_WRITER_ID } from "../identity.js";
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, NOTES_MAX, SESSIONS_REMEMBERED_MAX } from "../limits.js";
import { type LegacyRow, recordOf, textOf } from "./legacy-tables.js";
import { type ImportedRange, rangeOfStreamId, rowHash, streamIdOfRange } from "./ranges.js";
import { LegacyDatabase, type LegacyTable } from "./read.js";

export interface TableReport {
  readonly table: RecordTypeName;
  readonly isMissing: boolean;
  readonly rows: number;
  readonly newRecords: number;
  /** Imported by an earlier run. */
  readonly knownRecords: number;
  /** Refused as bad data and kept in the dead letters. */
  readonly rejectedRecords: number;
  readonly otherColumns: readonly string[];
  readonly missingColumns: readonly string[];
  /** Values that could not be taken as they are, at most NOTES_MAX kinds. */
  readonly notes: readonly string[];
}

export interface DatabaseReport {
  readonly tables: readonly TableReport[];
  /** Tables of the file that are none of the six, and were left alone. */
  readonly otherTables: readonly string[];
}

/** Half the hard limit: what is measured is JSON text, which is near the encoded size but not the same. */
const BYTES_A_BATCH = BATCH_BYTES_MAX / 2;

/** Rows of all sessions that wait for their batch to be full; beyond it the fullest goes as it is. */
const WAITING_BYTES_MAX = 16 * BATCH_BYTES_MAX;

interface Waiting {
  readonly records: TrainingRecord[];
  readonly ends: { id: bigint; row: LegacyRow }[];
  bytes: number;
}

/** @param client undefined: say what would be done, and do nothing. @throws Error where the file is no database */
export async function importDatabase(
  file: string,
  client: TailkeepClient | undefined,
  onRows: (rows: number) => void = () => {},
): Promise<DatabaseReport> {
  const database = new LegacyDatabase(file);
  try {
    const tables: TableReport[] = [];
    const known = client === undefined ? undefined : new KnownRanges(client, database);
    for (const table of database.tables)
      tables.push(await new TableImport(database, table, client, known, onRows).run());
    return { tables, otherTables: database.otherTables };
  } finally {
    database.close();
  }
}

class TableImport {
  #newRecords = 0;
  #knownRecords = 0;
  #rejected = 0;
  #waitingBytes = 0;
  readonly #waiting = new Map<string, Waiting>();
  readonly #notes: string[] = [];

  constructor(
    private readonly database: LegacyDatabase,
    private readonly table: LegacyTable,
    private readonly client: TailkeepClient | undefined,
    private readonly known: KnownRanges | undefined,
    private readonly onRows: (rows: number) => void,
  ) {}

  async run(): Promise<TableReport> {
    const { name, rowCount, otherColumns, missingColumns } = this.table;
    let rows = 0;
    for (const { id, row } of this.database.rows(name)) {
      rows++;
      await this.#add(id, row);
      if (rows % 1_000 === 0) this.onRows(1_000);
    }
    this.onRows(rows % 1_000);
    for (const sessionId of this.#waiting.keys()) await this.#send(sessionId);
    return {
      table: name,
      isMissing: false,
      rows: Math.max(rows, rowCount),
      newRecords: this.#newRecords,
      knownRecords: this.#knownRecords,
      rejectedRecords: this.#rejected,
      otherColumns,
      missingColumns,
      notes: this.#notes,
    };
  }

  async #add(id: bigint, row: LegacyRow): Promise<void> {
    const sessionId = cleanId(
      textOf(row["session_id"]) ?? (row["session_id"] == null ? "" : String(row["session_id"])),
    );
    if (await this.known?.has(sessionId, this.table.name, id)) {
      this.#knownRecords++;
      return;
    }
    const record = recordOf(this.table.name, row, (text) => {
      if (this.#notes.length < NOTES_MAX && !this.#notes.includes(text)) this.#notes.push(text);
    });
    const bytes = Buffer.byteLength(JSON.stringify(record));
    let waiting = this.#waiting.get(sessionId);
    if (
      waiting !== undefined &&
      (waiting.bytes + bytes > BYTES_A_BATCH || waiting.records.length === BATCH_ENTRIES_MAX)
    ) {
      await this.#send(sessionId);
      waiting = undefined;
    }
    if (waiting === undefined) {
      waiting = { records: [], ends: [], bytes: 0 };
      this.#waiting.set(sessionId, waiting);
    }
    waiting.records.push(record);
    waiting.ends[Math.min(1, waiting.ends.length)] = { id, row };
    waiting.bytes += bytes;
    this.#waitingBytes += bytes;
    if (this.#waitingBytes > WAITING_BYTES_MAX) await this.#send(this.#fullest());
  }

  #fullest(): string {
    let found = "";
    let most = -1;
    for (const [sessionId, { bytes }] of this.#waiting) if (bytes > most) [found, most] = [sessionId, bytes];
    return found;
  }

  async #send(sessionId: string): Promise<void> {
    const waiting = this.#waiting.get(sessionId);
    const first = waiting?.ends[0];
    if (waiting === undefined || first === undefined) return;
    this.#waiting.delete(sessionId);
    this.#waitingBytes -= waiting.bytes;
    const { records } = waiting;
    if (this.client === undefined) {
      this.#newRecords += records.length;
      return;
    }
    const last = waiting.ends[1] ?? first;
    const table = this.table.name;
    const streamId = streamIdOfRange({
      table,
      firstId: first.id,
      lastId: last.id,
      firstHash: rowHash(table, first.id, first.row),
      lastHash: rowHash(table, last.id, last.row),
    });
    const written = await this.client
      .writeRecords({ sessionId, streamId, writerId: IMPORT_WRITER_ID, firstSeq: 1, records })
      .catch((error: unknown) => {
        if (!(error instanceof InvalidArgumentError)) throw error;
        const rows = `rows ${first.id} to ${last.id} of ${table}`;
        throw new Error(`the server does not take ${rows}: ${error.message}`, { cause: error });
      });
    this.#rejected += written.rejected.length;
    this.#newRecords += records.length - written.rejected.length;
  }
}

/** What the server has of this database already, asked once a session. */
class KnownRanges {
  readonly #bySession = new Map<string, Promise<readonly ImportedRange[]>>();

  constructor(
    private readonly client: TailkeepClient,
    private readonly database: LegacyDatabase,
  ) {}

  async has(sessionId: string, table: RecordTypeName, id: bigint): Promise<boolean> {
    let ranges = this.#bySession.get(sessionId);
    if (ranges === undefined) {
      for (const oldest of this.#bySession.keys()) {
        if (this.#bySession.size < SESSIONS_REMEMBERED_MAX) break;
        this.#bySession.delete(oldest);
      }
      ranges = this.#ask(sessionId);
      this.#bySession.set(sessionId, ranges);
    }
    for (const range of await ranges) {
      if (range.table === table && range.firstId <= id && id <= range.lastId) return true;
    }
    return false;
  }

  async #ask(sessionId: string): Promise<ImportedRange[]> {
    const found: ImportedRange[] = [];
    try {
      for await (const { streamId, committedSeq } of this.client.admin.getLedger({ sessionId, pageSize: 1_000 })) {
        const range = committedSeq > 0 ? rangeOfStreamId(streamId) : undefined;
        if (range !== undefined && this.#isOfThisDatabase(range)) found.push(range);
      }
    } catch (error) {
      // No such session yet.
      if (!(error instanceof NotFoundError)) throw error;
    }
    return found;
  }

  #isOfThisDatabase({ table, firstId, lastId, firstHash, lastHash }: ImportedRange): boolean {
    const here = this.database.tables.find(({ name }) => name === table)?.name;
    if (here === undefined) return false;
    const isSame = (id: bigint, hash: string) => {
      const found = this.database.row(here, id);
      return found !== undefined && rowHash(here, id, found.row) === hash;
    };
    return isSame(firstId, firstHash) || isSame(lastId, lastHash);
  }
}
