/** Answers questions about series: from rollups, and from the records that are not in them yet. */
import type { GetSeriesRequest, GetSeriesResponse, ListSeriesResponse } from "@tailkeep/proto";
import {
  SAFE_INTEGER_MAX,
  SERIES_QUESTIONS_AT_ONCE,
  SERIES_QUESTIONS_WAITING_MAX,
  SERIES_ROWS_PER_READ,
} from "../limits.js";
import { RpcError } from "../rpc/errors.js";
import { requiredId } from "../rpc/fields.js";
import type { Reads, SeriesRow } from "../store/reads/reads.js";
import { type Asked, askedOf } from "./asked.js";
import { Buckets, type Piece } from "./buckets.js";
import { type Found, type GroupAt, ReadBudget } from "./candidates.js";
import { foundInAll } from "./entries.js";
import { nodeRecords } from "./levels.js";
import { SessionSeries } from "./list.js";
import { decodeNode, Node } from "./node.js";
import { pointOf, recordPiece, seriesColumnsOf } from "./points.js";
import { type SeriesQuestion, seriesOf, seriesQuestion } from "./question.js";
import { SeriesRows } from "./rows.js";
import { type Keep, type SeriesStream, type SeriesStreams, seriesStreams } from "./streams.js";
import type { GroupSummary } from "./summary.js";
import { Turns } from "./turns.js";
import { Walk } from "./walk.js";

export interface SeriesReader {
  /** @throws RpcError NOT_FOUND where there is no such session, OVERLOADED */
  list(namespace: string, sessionId: string): Promise<ListSeriesResponse>;
  /** @throws RpcError NOT_FOUND where there is no such session, BAD_FIELD, OVERLOADED */
  get(namespace: string, request: GetSeriesRequest): Promise<GetSeriesResponse>;
}

/** Who sums up a stream that is far behind. */
export interface CatchUp {
  wanted(stream: { key: bigint; namespace: string; sessionId: string }, committedSeq: number): void;
}

/** What a question finds of one stream. */
interface StreamAnswer {
  groups: GroupAt[];
  pieces: Piece[];
  extent: Extent;
  isComplete: boolean;
}

class Extent {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  add(min: number, max: number): void {
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
  }
}

export class StoreSeriesReader implements SeriesReader {
  readonly #reads: Reads;
  readonly #catchUp: CatchUp;
  readonly #turns = new Turns(SERIES_QUESTIONS_AT_ONCE, SERIES_QUESTIONS_WAITING_MAX);

  constructor(reads: Reads, catchUp: CatchUp) {
    this.#reads = reads;
    this.#catchUp = catchUp;
  }

  list(namespace: string, sessionId: string): Promise<ListSeriesResponse> {
    return this.#turns.run(namespace, async () => {
      const series = new SessionSeries();
      const { streams } = await this.#streams(namespace, sessionId, series.keep);
      return series.answer(this.#reads, streams);
    });
  }

  get(namespace: string, request: GetSeriesRequest): Promise<GetSeriesResponse> {
    return this.#turns.run(namespace, () => this.#get(namespace, seriesQuestion(request)));
  }

  async #get(namespace: string, question: SeriesQuestion): Promise<GetSeriesResponse> {
    const { streams, isComplete } = await this.#streams(namespace, question.sessionId, askedOf(question));
    const budget = new ReadBudget();
    const answers: StreamAnswer[] = [];
    const rows = new SeriesRows(this.#reads, question.table, seriesColumnsOf(question));
    // The newest come first: where a budget ends, it ends with what was longest ago.
    for (const stream of streams) answers.push(await this.#newest(stream, question, rows, budget));
    const extent = new Extent();
    for (const answer of answers) extent.add(answer.extent.min, answer.extent.max);
    const isEmpty = extent.min > extent.max;
    const range = {
      from: Math.max(question.from ?? extent.min, extent.min),
      to: Math.min(question.to ?? extent.max, extent.max),
    };
    const buckets = new Buckets(range, question.points);
    const walk = new Walk(this.#reads, rows, question, buckets, budget);
    if (range.from <= range.to) {
      for (const { groups, pieces } of answers) {
        for (const piece of pieces) buckets.add(piece);
        await walk.stream(groups);
      }
    }
    return {
      ...buckets.answer(),
      xMin: isEmpty ? undefined : extent.min,
      xMax: isEmpty ? undefined : extent.max,
      complete: isComplete && walk.complete && answers.every((answer) => answer.isComplete),
    };
  }

  async #streams<Kept>(namespace: string, sessionId: string, keep: Keep<Kept>): Promise<SeriesStreams<Kept>> {
    const session = await this.#reads.session(namespace, requiredId("session_id", sessionId));
    if (session === undefined) {
      throw new RpcError("NOT_FOUND", `session_id: there is no session ${sessionId}; ListSessions has all of them`);
    }
    const found = await seriesStreams(this.#reads, namespace, sessionId, keep);
    for (const { key, committedSeq, rolledSeq } of found.streams) {
      if (committedSeq - rolledSeq > SERIES_ROWS_PER_READ) {
        this.#catchUp.wanted({ key, namespace, sessionId }, committedSeq);
      }
    }
    return found;
  }

  /** The groups that the question is about, and the records that are in no node of them. */
  async #newest(
    stream: SeriesStream<Asked>,
    question: SeriesQuestion,
    reader: SeriesRows,
    budget: ReadBudget,
  ): Promise<StreamAnswer> {
    const { gameId } = question;
    const { groups, named, typeShare } = stream.summary;
    const answer: StreamAnswer = { groups: [], pieces: [], extent: new Extent(), isComplete: true };
    // Among the games that are summed up together may be the one that was asked for.
    if (gameId !== undefined && named?.has(gameId) === false) answer.isComplete = false;
    const lastNodes = await this.#lastNodes(stream.key, question, groups);
    const upTo = new Map<string, number>();
    for (const group of groups) {
      const lastNode = lastNodes.get(group.game);
      const inLast = lastNode && foundInAll(lastNode, question);
      const { gameId: own } = group;
      answer.groups.push({
        key: stream.key,
        game: group.game,
        records: group.records,
        lastNode: lastNode && heldNode(lastNode, inLast, question, budget, answer),
        typeShare,
        isOfGroup: (id) => (own === "" ? named?.has(id) !== true : id === own),
      });
      upTo.set(own, Math.max(stream.rolledSeq, lastNode?.lastSeq[lastNode.entries - 1] ?? 0));
      addExtent(answer.extent, group, question);
      // It may have got more since the summary.
      if (inLast !== undefined && isNewer(lastNode, stream.rolledSeq)) {
        answer.extent.add(inLast.piece.xFirst, inLast.piece.xLast);
      }
    }
    if (stream.committedSeq <= stream.rolledSeq) return answer;
    const others = named === undefined ? undefined : upTo.get("");
    const isNew = (row: SeriesRow) => {
      if (gameId !== undefined && row.gameId !== gameId) return false;
      return row.seq > (upTo.get(row.gameId) ?? others ?? stream.rolledSeq);
    };
    // Of all games: the budget is of what is looked at, and there may be millions of records without one of the game.
    const range = { key: stream.key, gameId: undefined, fromSeq: stream.rolledSeq + 1, toSeq: SAFE_INTEGER_MAX };
    for await (const rows of reader.read(range, budget)) {
      for (const row of rows) {
        const point = isNew(row) ? pointOf(question, row) : undefined;
        if (point === undefined) continue;
        answer.pieces.push(recordPiece(point));
        answer.extent.add(point.x, point.x);
      }
    }
    if (budget.rows === 0) answer.isComplete = false;
    return answer;
  }

  /** The last node of each group where it is not full: it may be newer than the stream's summary. */
  async #lastNodes(key: bigint, question: SeriesQuestion, groups: readonly GroupSummary[]): Promise<Map<number, Node>> {
    const full = nodeRecords(1);
    const places = groups
      .filter(({ records }) => records % full !== 0)
      .map(({ table, game, records }) => ({ table, game, level: 1, node: Math.floor(records / full) }));
    const names = seriesOf(question);
    return new Map((await this.#reads.nodesAt(key, places)).map(({ game, body }) => [game, decodeNode(body, names)]));
  }
}

/** In the place of a last node that is not held: nothing is left to be looked at. */
const NOT_HELD = new Node(0);

/** What is held of a last node until its turn: all, nothing where it lies outside, or what it comes to as a piece. */
function heldNode(
  node: Node,
  found: Found | undefined,
  question: SeriesQuestion,
  budget: ReadBudget,
  answer: StreamAnswer,
): Node {
  if (found === undefined) return NOT_HELD;
  const { piece, isCertain } = found;
  if (piece.xLast < (question.from ?? piece.xLast) || piece.xFirst > (question.to ?? piece.xFirst)) return NOT_HELD;
  if (budget.lastNodes > 0) {
    budget.lastNodes--;
    return node;
  }
  answer.pieces.push(piece);
  if (!isCertain) answer.isComplete = false;
  return NOT_HELD;
}

function isNewer(node: Node | undefined, rolledSeq: number): boolean {
  return node !== undefined && (node.lastSeq[node.entries - 1] ?? 0) > rolledSeq;
}

/** Where a group's values lie, by its summary. */
function addExtent(extent: Extent, group: GroupSummary, { x, y }: SeriesQuestion): void {
  const of = group.totals.get(y.name);
  if (of === undefined) return;
  if (x === "time") extent.add(of.firstTimeUs, of.lastTimeUs);
  else if (x === "seq") extent.add(of.firstSeq, of.lastSeq);
  else {
    const across = group.totals.get(x.name);
    if (across !== undefined) extent.add(across.min, across.max);
  }
}
