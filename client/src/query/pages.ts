/** Listings: every item by `for await`, every page by `.pages()`. */

/** One page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** For the next page; empty at the end. */
  readonly nextPageToken: string;
}

/** A listing that fetches as it is iterated, one page ahead of nothing. May be iterated more than once. */
export interface Listing<Item> extends AsyncIterable<Item> {
  /** The same, page by page. */
  pages(): AsyncIterable<Page<Item>>;
  /** Only the first page. */
  firstPage(): Promise<Page<Item>>;
}

/** `fetch` answers one page; `itemsMax` ends the listing early. */
export function listing<Item>(
  fetch: (pageToken: string) => Promise<Page<Item>>,
  begin: { readonly pageToken?: string | undefined; readonly itemsMax?: number | undefined } = {},
): Listing<Item> {
  const itemsMax = begin.itemsMax ?? Number.POSITIVE_INFINITY;

  async function* pages(): AsyncGenerator<Page<Item>, void, undefined> {
    let pageToken = begin.pageToken ?? "";
    let left = itemsMax;
    while (left > 0) {
      const page = await fetch(pageToken);
      yield page.items.length > left ? { ...page, items: page.items.slice(0, left) } : page;
      left -= page.items.length;
      if (page.nextPageToken === "") return;
      pageToken = page.nextPageToken;
    }
  }

  async function* items(): AsyncGenerator<Item, void, undefined> {
    for await (const page of pages()) yield* page.items;
  }

  return {
    pages,
    firstPage: () => fetch(begin.pageToken ?? ""),
    [Symbol.asyncIterator]: items,
  };
}
