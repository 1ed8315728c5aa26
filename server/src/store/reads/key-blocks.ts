/**
 * Records of one key where the key index is cut into blocks of a stream's numbers; see key-index.ts.
 *
 * First every block of the session is asked for the earliest and the latest entry of the key. Then blocks are opened in
 * the order of time, each only when it may have the next record: mostly one a page.
 */
import { type RawBuilder, sql } from "kysely";
import { byTime, type StoredRow } from "../../record/stored-row.js";
import type { Table, Value } from "../../record/tables.js";
import { timestampUs } from "../../record/time.js";
import { entryCondition, KEY_BLOCK_BITS, keyIndex } from "../key-index.js";
import { rowsTable } from "../schema.js";
import type { Source } from "./database.js";
import { type Feed, firstOf } from "./feeds.js";
import { hasKey, type RecordQuery, rowsFeed } from "./record-rows.js";

type KeyQuery = RecordQuery & { readonly key: readonly Value[] };

/** A block that has records of the key, and the times between which those lie that the question asks for. */
interface KeyBlock {
  readonly stream: bigint;
  readonly block: number;
  readonly newestUs: number;
  readonly oldestUs: number;
}

const BLOCK = sql.raw(`seq >> ${KEY_BLOCK_BITS}`);

export class KeyBlocksFeed implements Feed {
  readonly #source: Source;
  readonly #table: Table;
  readonly #query: KeyQuery;
  readonly #opened: Feed[] = [];
  /** Not opened yet, the next one last. */
  #waiting: KeyBlock[] | undefined;
  #next: Feed | undefined;

  constructor(source: Source, table: Table, query: KeyQuery) {
    this.#source = source;
    this.#table = table;
    this.#query = query;
  }

  async peek(wanted: number): Promise<StoredRow | undefined> {
    this.#waiting ??= await this.#findBlocks();
    for (;;) {
      const next = await firstOf(this.#opened, wanted, this.#query.newestFirst ? (a, b) => byTime(b, a) : byTime);
      const block = this.#waiting.at(-1);
      if (block === undefined || (next !== undefined && this.#isBefore(next.row, block))) {
        this.#next = next?.feed;
        return next?.row;
      }
      this.#waiting.pop();
      this.#opened.push(this.#openBlock(block));
    }
  }

  take(): void {
    this.#next?.take();
  }

  /** Whether a record comes before everything that a block may have. */
  #isBefore(row: StoredRow, { stream, block, newestUs, oldestUs }: KeyBlock): boolean {
    const { newestFirst } = this.#query;
    const timeUs = newestFirst ? newestUs : oldestUs;
    if (row.timeUs !== timeUs) return newestFirst === row.timeUs > timeUs;
    if (row.stream !== stream) return newestFirst === row.stream > stream;
    // A shift would cut numbers to 32 bits.
    return newestFirst === Math.floor(row.seq / 2 ** KEY_BLOCK_BITS) > block;
  }

  /** The blocks that have records of the key at the asked times, the one to open first last. */
  async #findBlocks(): Promise<KeyBlock[]> {
    const { namespace, sessionId, sinceUs, untilUs, after, newestFirst } = this.#query;
    const entries = this.#entries();
    const ofBlock = this.#entriesOfBlock(sql`b.stream`, sql`b.block`);
    const found = sql`
      with recursive blocks (stream, block) as (
        select s.stream, (select ${BLOCK} ${entries} and stream = s.stream order by ${BLOCK} desc limit 1)
        from streams as s where s.namespace_id = ${namespace} and s.session_id = ${sessionId}
        union all
        select b.stream,
          (select ${BLOCK} ${entries} and stream = b.stream and ${BLOCK} < b.block order by ${BLOCK} desc limit 1)
        from blocks as b where b.block is not null
      )
      select cast(b.stream as char) as stream, b.block,
        (select timestamp ${ofBlock} order by timestamp desc limit 1) as newest,
        (select timestamp ${ofBlock} order by timestamp limit 1) as oldest
      from blocks as b where newest is not null`;
    const { sql: text, parameters } = found.compile(this.#source.db);
    const cursorUs = after?.timeUs;
    const latestUs = Math.min(untilUs ?? Infinity, newestFirst ? (cursorUs ?? Infinity) : Infinity);
    const earliestUs = Math.max(sinceUs ?? -Infinity, newestFirst ? -Infinity : (cursorUs ?? -Infinity));
    return (await this.#source.execute(text, parameters))
      .map(
        (row): KeyBlock => ({
          stream: BigInt(row["stream"] as string),
          block: Number(row["block"]),
          newestUs: Math.min(latestUs, timestampUs(String(row["newest"]))),
          oldestUs: Math.max(earliestUs, timestampUs(String(row["oldest"]))),
        }),
      )
      .filter(({ oldestUs, newestUs }) => oldestUs <= newestUs)
      .sort((a, b) => (newestFirst ? compare(a.newestUs, b.newestUs, a, b) : compare(b.oldestUs, a.oldestUs, b, a)));
  }

  /** Its rows of the key: from the first entry to the last, whose ids rise as their numbers do. */
  #openBlock({ stream, block }: KeyBlock): Feed {
    const ofBlock = this.#entriesOfBlock(sql`${stream}`, sql`${block}`);
    const rows = sql.table(rowsTable(this.#table));
    const seqOf = (id: string) => sql<number>`(select seq from ${rows} where id = (select ${sql.raw(id)} ${ofBlock}))`;
    const range = { stream, firstSeq: seqOf("min(id)"), lastSeq: seqOf("max(id)") };
    return rowsFeed(this.#source, this.#table, this.#query, range);
  }

  /** `from` and `where` of all entries of the index. */
  #entries(): RawBuilder<unknown> {
    const index = `${rowsTable(this.#table)} indexed by ${keyIndex(this.#table.name)}`;
    return sql.raw(`from ${index} where ${entryCondition(this.#table)}`);
  }

  #entriesOfBlock(stream: RawBuilder<unknown>, block: RawBuilder<unknown>): RawBuilder<unknown> {
    const key = hasKey(this.#table, this.#query.key, "");
    return sql`${this.#entries()} and stream = ${stream} and ${BLOCK} = ${block} and ${key}`;
  }
}

/** By time, then by stream and number, as records are. */
function compare(aUs: number, bUs: number, a: KeyBlock, b: KeyBlock): number {
  if (aUs !== bUs) return aUs - bUs;
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  return a.block - b.block;
}
