// The grid as a tree: which rows are on screen, what their cells say and from where. Pure.

import { words } from "../../messages/en";
import type { Cell } from "../bindings/Cell";
import type { GridRow } from "../bindings/GridRow";
import type { Inherited } from "../bindings/Inherited";
import type { Preferences } from "../bindings/Preferences";
import { clockTime } from "../words/time";
import { keyOf, nameOf, own } from "./cells";

/** Columns with a value of their own. */
export const VALUES = ["toast", "mute", "sound", "badge", "privacy", "batch"] as const;
export type ValueColumn = (typeof VALUES)[number];
export const COLUMNS = [...VALUES, "more"] as const;
export type Column = (typeof COLUMNS)[number];

/** Cells that an administrator may lock. */
export const LOCKABLE: readonly Column[] = ["toast", "mute"];

/** A row in its place. */
export type Line = {
  row: GridRow;
  id: string;
  /** What a person calls it. */
  name: string;
  level: 1 | 2 | 3;
  parent: string | null;
  /** Null: it has nothing in it. */
  expanded: boolean | null;
  position: number;
  siblings: number;
};

const levelOf = (row: GridRow): Line["level"] => (row.kind !== null ? 3 : row.subscription !== null ? 2 : 1);

export function titleOf(row: GridRow): string {
  return row.kind === "" ? words.policy.grid.noType : row.name === "" ? (row.kind ?? "") : row.name;
}

const parentId = (row: GridRow): string | null => {
  if (row.kind !== null) return nameOf({ account: row.account, subscription: row.subscription, kind: null });
  return row.subscription === null ? null : nameOf({ account: row.account, subscription: null, kind: null });
};

/** The rows on screen, of which some are open. */
export function linesOf(rows: readonly GridRow[], open: ReadonlySet<string>): Line[] {
  const children = new Map<string | null, GridRow[]>();
  for (const row of rows) {
    const parent = parentId(row);
    children.set(parent, [...(children.get(parent) ?? []), row]);
  }
  const walk = (parent: string | null): Line[] => {
    const of = children.get(parent) ?? [];
    return of.flatMap((row, index) => {
      const id = nameOf(keyOf(row));
      const expanded = children.has(id) ? open.has(id) : null;
      const line: Line = { row, id, name: titleOf(row), level: levelOf(row), parent, expanded, position: index + 1, siblings: of.length };
      return expanded ? [line, ...walk(id)] : [line];
    });
  };
  return walk(null);
}

/** What a value says in its column. */
const SAYS: { [C in ValueColumn]: (value: NonNullable<Cell[C]>) => string } = {
  toast: (value) => words.policy.toasts[value],
  mute: (value) => (value ? words.policy.grid.muted : words.policy.grid.notMuted),
  sound: (value) => words.policy.sound(value),
  badge: (value) => words.policy.badges[value],
  privacy: (value) => words.policy.privacies[value],
  batch: (value) => words.policy.batch(value),
};

export function valueSays<C extends ValueColumn>(column: C, value: NonNullable<Cell[C]>): string {
  return SAYS[column](value);
}

/** What a cell says. */
export function says<C extends ValueColumn>(row: GridRow, column: C): string {
  return valueSays(column, row[column].value as NonNullable<Cell[C]>);
}

/** Where a value is from, and until when: "from home", "until Mon 08:00". */
export function origin(cell: Inherited<unknown>, row: GridRow, rows: readonly GridRow[], now: number): string {
  const called = (subscription: number | null) => {
    const found = rows.find((one) => one.account === row.account && one.subscription === subscription && one.kind === null);
    return words.policy.grid.from(found ? titleOf(found) : "");
  };
  const from = {
    here: "",
    subscription: called(row.subscription),
    account: called(null),
    tier: words.policy.grid.fromTier,
    default: words.policy.grid.fromDefault,
  }[cell.from];
  const until = cell.until === null ? "" : words.policy.until(clockTime(cell.until, now));
  return [from, until].filter((part) => part !== "").join(", ");
}

/** What a row would inherit in a column if it said nothing itself. */
export function inherited(row: GridRow, column: ValueColumn, rows: readonly GridRow[], preferences: Preferences, now: number): string {
  const parent = rows.find((one) => nameOf(keyOf(one)) === parentId(row));
  if (parent) {
    const cell = parent[column];
    const from = cell.from === "here" ? words.policy.grid.from(titleOf(parent)) : origin(cell, parent, rows, now);
    return words.policy.grid.inherits(says(parent, column), from);
  }
  const tier = preferences.tiers.important;
  const bare: GridRow = {
    ...row,
    toast: { ...row.toast, value: tier.toast ?? "on" },
    mute: { ...row.mute, value: tier.mute ?? false },
    sound: { ...row.sound, value: tier.sound ?? preferences.sounds.sound },
    badge: { ...row.badge, value: tier.badge ?? "on" },
    privacy: { ...row.privacy, value: tier.privacy ?? "full" },
    batch: { ...row.batch, value: tier.batch ?? { how: "off" } },
  };
  const set = tier[column] !== undefined;
  return words.policy.grid.inherits(says(bare, column), set ? words.policy.grid.fromTier : words.policy.grid.fromDefault);
}

/** What else is set at a row, in a few words. */
export function moreOf(row: GridRow, preferences: Preferences, now: number): string {
  const key = keyOf(row);
  const tier = own(preferences, key, "tier", now);
  const least = own(preferences, key, "min_tier", now);
  const parts = [
    tier ? `${words.policy.grid.treated(words.tiers[tier.value])}${tier.until ? ` ${words.policy.until(clockTime(tier.until, now))}` : ""}` : "",
    own(preferences, key, "tiers", now) ? words.policy.grid.ownTable : "",
    least ? words.policy.grid.minTierIs(words.tiers[least.value]) : "",
    row.locked !== null ? words.policy.grid.isMandatory : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}
