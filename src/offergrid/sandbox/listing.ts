/** One page of a list. How the live API pages, if at all, is undocumented: hence three styles. */
import type { SandboxBehaviour } from "./behaviour.ts";

/** Entries per page, unless asked for fewer. */
const PAGE_MAX = 100;

export interface PageQuery {
  readonly page?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: string | undefined;
}

/** `none`: the bare array. `page`: `{data, page, limit, total}`. `cursor`: `{data, nextCursor}`. */
export function pageOf<T>(
  all: readonly T[],
  query: PageQuery,
  form: { readonly style: SandboxBehaviour["listPaging"]; readonly view: (entry: T) => unknown },
): unknown {
  const limit = Math.min(wholeNumber(query.limit) ?? PAGE_MAX, PAGE_MAX);
  switch (form.style) {
    case "none":
      return all.map(form.view);
    case "page": {
      const page = wholeNumber(query.page) ?? 1;
      const data = all.slice((page - 1) * limit, page * limit).map(form.view);
      return { data, page, limit, total: all.length };
    }
    case "cursor": {
      const start = wholeNumber(query.cursor) ?? 0;
      const end = start + limit;
      const data = all.slice(start, end).map(form.view);
      return { data, nextCursor: end < all.length ? String(end) : null };
    }
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}
