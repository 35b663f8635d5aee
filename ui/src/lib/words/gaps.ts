// What could not be had, at its place in the list.

import type { AccountView } from "../bindings/AccountView";
import type { GapView } from "../bindings/GapView";
import type { Row } from "../bindings/Row";

/** A time for which something is missing, and of which subscriptions. */
export type Gap = { from: string; to: string; missing: string; names: string[] };

/** Which part of the inbox is on screen. */
type Shown = { account: number | null; subscription: number | null };

/** What is missing in the shown part, newest first; subscriptions that miss the same are told once. */
export function gapsOf(accounts: readonly AccountView[], shown: Shown): Gap[] {
  const found = new Map<string, Gap>();
  for (const account of accounts) {
    if (shown.account !== null && account.id !== shown.account) continue;
    for (const subscription of account.subscriptions) {
      if (shown.subscription !== null && subscription.id !== shown.subscription) continue;
      for (const gap of subscription.continuity.gaps) {
        if (gap.missing === "") continue;
        const key = keyOf(gap);
        const known = found.get(key);
        if (known) known.names.push(subscription.name);
        else found.set(key, { from: gap.from, to: gap.to, missing: gap.missing, names: [subscription.name] });
      }
    }
  }
  return [...found.values()].sort((a, b) => Date.parse(b.to) - Date.parse(a.to));
}

// Connections of one account end within the same second.
const keyOf = (gap: GapView): string => [Math.floor(Date.parse(gap.from) / 1000), Math.floor(Date.parse(gap.to) / 1000), gap.missing].join();

/** The gaps that lie directly above a row: between it and the next newer one. Those older than all rows are not known yet. */
export function gapsAbove(rows: readonly Row[], gaps: readonly Gap[]): Map<number, Gap[]> {
  const above = new Map<number, Gap[]>();
  let next = 0;
  for (const row of rows) {
    while (next < gaps.length) {
      const gap = gaps[next];
      if (!gap || Date.parse(gap.from) < Date.parse(row.created_at)) break;
      above.set(row.id, [...(above.get(row.id) ?? []), gap]);
      next += 1;
    }
  }
  return above;
}
