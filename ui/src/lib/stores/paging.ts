// How pages that come from the resident become the one list that is on screen. Pure.

import type { Page } from "../bindings/Page";
import type { Row } from "../bindings/Row";

/** The loaded part of a list, newest first. */
export type Loaded = { rows: Row[]; next: string | null };

/** Adds the page after the loaded part; a row that moved down meanwhile is not shown twice. */
export function append(loaded: Loaded, page: Page): Loaded {
  const known = new Set(loaded.rows.map((row) => row.id));
  return {
    rows: [...loaded.rows, ...page.rows.filter((row) => !known.has(row.id))],
    next: page.next,
  };
}

/**
 * Puts a fresh first page over the loaded part. Where they overlap the page is right: what it does
 * not name is gone, unless `keep` says otherwise. Where they do not overlap at all the page stands
 * alone, for what lies between is unknown.
 */
export function mergeHead(loaded: Loaded, page: Page, keep: (row: Row) => boolean): Loaded {
  const fresh = new Set(page.rows.map((row) => row.id));
  if (page.next === null) {
    return { rows: reinsert(page.rows, loaded.rows, fresh, keep), next: null };
  }
  const overlap = loaded.rows.findLastIndex((row) => fresh.has(row.id));
  if (overlap < 0 && loaded.rows.length > 0) return { rows: page.rows, next: page.next };
  const tail = loaded.rows.slice(overlap + 1);
  const head = reinsert(page.rows, loaded.rows.slice(0, overlap + 1), fresh, keep);
  if (tail.length === 0) return { rows: head, next: page.next };
  return { rows: [...head, ...tail], next: loaded.next };
}

/** Brings kept rows back behind the row they stood behind. */
function reinsert(
  into: Row[],
  old: Row[],
  fresh: ReadonlySet<number>,
  keep: (row: Row) => boolean,
): Row[] {
  const rows = [...into];
  old.forEach((row, index) => {
    if (fresh.has(row.id) || !keep(row)) return;
    const before = old[index - 1];
    rows.splice(before ? rows.findIndex((one) => one.id === before.id) + 1 : 0, 0, row);
  });
  return rows;
}

/** What of a page is new here. */
export function unknown(rows: readonly Row[], known: readonly Row[]): Row[] {
  const ids = new Set(known.map((row) => row.id));
  return rows.filter((row) => !ids.has(row.id));
}

/** The same rows with some of them changed. */
export function patch(rows: Row[], ids: ReadonlySet<number>, change: Partial<Row>): Row[] {
  return rows.map((row) => (ids.has(row.id) ? { ...row, ...change } : row));
}

/** The row that takes the place of those that leave: the next that stays, else the one before. */
export function successor(
  rows: readonly Row[],
  leaving: ReadonlySet<number>,
  from: number | null,
): number | null {
  const start = rows.findIndex((row) => row.id === from);
  if (start < 0) return null;
  const after = rows.slice(start).find((row) => !leaving.has(row.id));
  return (after ?? rows.slice(0, start).findLast((row) => !leaving.has(row.id)))?.id ?? null;
}
