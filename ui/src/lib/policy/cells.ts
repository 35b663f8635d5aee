// Rows of the preferences: which one is meant, and what has to be sent to change a cell of it.

import type { AccountView } from "../bindings/AccountView";
import type { Cell } from "../bindings/Cell";
import type { GridRow } from "../bindings/GridRow";
import type { Preferences } from "../bindings/Preferences";
import type { PreferencesRow } from "../bindings/PreferencesRow";

/** What a row is about: an account, one of its subscriptions, or a type in one of these. */
export type Key = { account: number; subscription: number | null; kind: string | null };

/** A cell by its name. */
export type CellName = keyof Cell;

const NAMES: readonly CellName[] = ["mute", "toast", "sound", "badge", "privacy", "batch", "min_tier", "tier", "tiers", "mandatory"];

export function keyOf(row: GridRow): Key {
  return { account: row.account, subscription: row.subscription, kind: row.kind };
}

/** Names a key in the page. */
export function nameOf(key: Key): string {
  return [key.account, key.subscription ?? "", key.kind === null ? "" : `=${key.kind}`].join("/");
}

/** Whether a row of the document is about this key. */
export function isAbout(row: PreferencesRow, key: Key): boolean {
  return row.account === key.account && (row.subscription ?? null) === key.subscription && (row.kind ?? null) === key.kind;
}

/** Whether two rows are the same one: about the same, until the same time. */
export function isSame(one: PreferencesRow, other: PreferencesRow): boolean {
  const until = (row: PreferencesRow) => (row.until === undefined ? null : Date.parse(row.until));
  const key = { account: other.account, subscription: other.subscription ?? null, kind: other.kind ?? null };
  return isAbout(one, key) && until(one) === until(other);
}

/** Whether a row says nothing. */
export function isEmpty(row: Cell): boolean {
  return NAMES.every((name) => row[name] === undefined);
}

/** What is said about a cell, and until when. */
export type Said<N extends CellName> = { value: NonNullable<Cell[N]>; until: string | null };

/** All that rows say about one cell: what holds now, then what comes after it. */
export function layers<N extends CellName>(preferences: Preferences, key: Key, name: N, now: number): Said<N>[] {
  const rows = preferences.rows
    .filter((row) => isAbout(row, key) && row[name] !== undefined && holds(row, now))
    .sort((a, b) => endOf(a) - endOf(b));
  return rows.map((row) => ({ value: row[name] as NonNullable<Cell[N]>, until: row.until ?? null }));
}

/** What a row says about one cell now, and until when. */
export function own<N extends CellName>(preferences: Preferences, key: Key, name: N, now: number): Said<N> | null {
  return layers(preferences, key, name, now)[0] ?? null;
}

/** When a row ends, milliseconds. */
export const endOf = (row: PreferencesRow): number => (row.until === undefined ? Infinity : Date.parse(row.until));

function blank(key: Key, until: string | null): PreferencesRow {
  return {
    account: key.account,
    ...(key.subscription === null ? {} : { subscription: key.subscription }),
    ...(key.kind === null ? {} : { kind: key.kind }),
    ...(until === null ? {} : { until }),
  };
}

function without(row: PreferencesRow, names: readonly CellName[]): PreferencesRow {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name as CellName))) as PreferencesRow;
}

/** A change of cells: the document afterwards, and the rows that say it one by one. */
export type Plan = { after: Preferences; rows: PreferencesRow[] };

/**
 * What makes these cells have these values from now on, for good or until a time. A cell that is undefined
 * inherits again. Of other rows about the same, those that would hide it, or make its end meaningless, say
 * nothing about these cells any more; what comes after it stays.
 */
export function plan(preferences: Preferences, key: Key, change: Cell, until: string | null, now: number): Plan {
  const names = Object.keys(change) as CellName[];
  const set = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Cell;
  const wanted = blank(key, until);
  // What is over says nothing any more.
  const before = preferences.rows.filter((row) => isAbout(row, key) && holds(row, now));
  const rows: PreferencesRow[] = [];
  for (const row of before) {
    if (isSame(row, wanted)) continue;
    const repeats = () => row.until !== undefined && names.every((name) => JSON.stringify(row[name]) === JSON.stringify(set[name]));
    if (!isEmpty(set) && endOf(row) > endOf(wanted) && !repeats()) continue;
    if (names.some((name) => row[name] !== undefined)) rows.push(without(row, names));
  }
  const there = before.find((row) => isSame(row, wanted));
  if (!isEmpty(set) || (there && names.some((name) => there[name] !== undefined))) {
    rows.push({ ...without(there ?? wanted, names), ...set });
  }
  return planned(preferences, rows, now);
}

/** Takes back what one of the rows about a key says about a cell: the one with this end. */
export function taken(preferences: Preferences, key: Key, name: CellName, until: string | null, now: number): Plan {
  const wanted = blank(key, until);
  const row = preferences.rows.find((row) => isSame(row, wanted));
  return planned(preferences, row ? [without(row, [name])] : [], now);
}

function planned(preferences: Preferences, rows: PreferencesRow[], now: number): Plan {
  return { after: rows.reduce(withRow, { ...preferences, rows: preferences.rows.filter((row) => holds(row, now)) }), rows };
}

/** Whether a row has not ended yet. */
export function holds(row: PreferencesRow, now: number): boolean {
  return row.until === undefined || Date.parse(row.until) > now;
}

/** The document with this row in the place of the same one; without it, if it says nothing. */
export function withRow(preferences: Preferences, row: PreferencesRow): Preferences {
  const others = preferences.rows.filter((one) => !isSame(one, row));
  return { ...preferences, rows: isEmpty(row) ? others : [...others, row] };
}

/** What a row of the document is about, in words. */
export function sourceOf(key: { account?: number | undefined; subscription?: number | null | undefined; kind?: string | null | undefined }, accounts: readonly AccountView[]): string {
  const account = accounts.find((one) => one.id === key.account);
  const subscription = account?.subscriptions.find((one) => one.id === key.subscription);
  return [account?.name, subscription?.name, key.kind].filter((part) => part !== undefined && part !== null && part !== "").join(" › ");
}
