/** Reads the parameters of a request to the API. What they mean is checked by the services. */
import { badField } from "../../rpc/errors.js";

export class Parameters {
  readonly #query: URLSearchParams;

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  text(name: string): string {
    return this.#query.get(name) ?? "";
  }

  texts(name: string): string[] {
    return this.#query.getAll(name);
  }

  /** A whole number; 0 where it is absent, which the services read as their default. @throws RpcError */
  whole(name: string): number {
    const text = this.text(name);
    if (text === "") return 0;
    if (!/^-?\d{1,9}$/.test(text)) throw badField(name, "is no whole number");
    return Number(text);
  }

  /** @throws RpcError */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === "") return undefined;
    const value = Number(text);
    if (!Number.isFinite(value)) throw badField(name, "is no number");
    return value;
  }

  /** @throws RpcError */
  wholes(name: string): number[] {
    return this.texts(name).map((text) => {
      if (!/^\d{1,9}$/.test(text)) throw badField(name, "is no whole number");
      return Number(text);
    });
  }
}
