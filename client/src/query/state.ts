/** Named, versioned JSON documents. */

import * as wire from "@tailkeep/proto";
import { jsonText } from "../encode/json-text.js";
import { NotFoundError } from "../errors/errors.js";
import { safeNumber } from "../records/safe-number.js";
import { json } from "../records/stored.js";
import type { JsonValue } from "../records/training-record.js";
import type { CallOptions, UnaryCaller } from "../transport/unary-call.js";
import { type Listing, listing } from "./pages.js";

/** A document without its value. */
export interface StateDocumentInfo {
  /** 1 to 256 characters. */
  readonly name: string;
  /** 1 after the first write, one more with each. */
  readonly version: number;
  /** When it was written: microseconds since 1970. */
  readonly updatedAtUs: number;
}

/** A document. */
export interface StateDocument extends StateDocumentInfo {
  readonly value: JsonValue;
}

/** A line of a listing; the value only where it was asked for. */
export interface StateListItem extends StateDocumentInfo {
  readonly value: JsonValue | undefined;
}

/** Which documents, by name. */
export interface ListStatesQuestion {
  /** Only names that begin with this. @default all */
  readonly prefix?: string | undefined;
  /** Also return the values. @default false */
  readonly includeValues?: boolean | undefined;
  /** 1 to 1,000. @default 100 */
  readonly pageSize?: number | undefined;
  /** From an earlier page. @default the first page */
  readonly pageToken?: string | undefined;
  /** Stop after this many. @default all */
  readonly limit?: number | undefined;
}

/** What the document must be like for a change to happen. */
export interface ExpectedVersion {
  /** Version it must have now; 0: it must not exist. VersionMismatchError otherwise. @default whatever it is */
  readonly expectedVersion?: number | undefined;
}

const service = wire.StateServiceService;

/** `client.state`. */
export class StateClient {
  readonly #caller: UnaryCaller;

  constructor(caller: UnaryCaller) {
    this.#caller = caller;
  }

  /** Writes a document of at most 1 MiB as JSON text, nested at most 64 deep. NaN and the infinities become strings. */
  async put(name: string, value: JsonValue, options: CallOptions & ExpectedVersion = {}): Promise<StateDocument> {
    const request = {
      name,
      valueJson: jsonText(value, "value"),
      expectedVersion: options.expectedVersion === undefined ? undefined : BigInt(options.expectedVersion),
    };
    // Repeated blindly, it might overwrite what another wrote in between.
    const answer = await this.#caller.call(service.putState, request, options, "once");
    return { ...documentInfo(answer), value: answer.valueJson === "" ? value : (json(answer.valueJson) ?? null) };
  }

  /** Undefined if there is none. */
  async get(name: string, options: CallOptions = {}): Promise<StateDocument | undefined> {
    try {
      const answer = await this.#caller.call(service.getState, { name }, options);
      return { ...documentInfo(answer), value: json(answer.valueJson) ?? null };
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  /** Documents by name. The deadline is for each page. */
  list(question: ListStatesQuestion = {}, options: CallOptions = {}): Listing<StateListItem> {
    const request = {
      prefix: question.prefix ?? "",
      includeValues: question.includeValues ?? false,
      pageSize: question.pageSize ?? 0,
    };
    return listing(
      async (pageToken) => {
        const answer = await this.#caller.call(service.listStates, { ...request, pageToken }, options);
        const items = answer.documents.map((document) => ({
          ...documentInfo(document),
          value: json(document.valueJson),
        }));
        return { items, nextPageToken: answer.nextPageToken };
      },
      { pageToken: question.pageToken, itemsMax: question.limit },
    );
  }

  /** Whether there was one. */
  async delete(name: string, options: CallOptions & ExpectedVersion = {}): Promise<boolean> {
    const expectedVersion = options.expectedVersion === undefined ? undefined : BigInt(options.expectedVersion);
    try {
      await this.#caller.call(service.deleteState, { name, expectedVersion }, options, "once");
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }
}

function documentInfo(document: wire.StateDocument): StateDocumentInfo {
  return {
    name: document.name,
    version: safeNumber(document.version, "version"),
    updatedAtUs: safeNumber(document.updatedAtUs, "updated_at_us"),
  };
}
