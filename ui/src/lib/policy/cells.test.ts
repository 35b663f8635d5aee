import { describe, expect, it } from "vitest";
import type { Cell } from "../bindings/Cell";
import type { PreferencesRow } from "../bindings/PreferencesRow";
import { layers, own, plan, taken, type Key } from "./cells";
import { defaultPreferences } from "./defaults";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const EVENING = "2026-11-22T18:00:00Z";
const MONDAY = "2026-11-23T08:00:00Z";
const KEY: Key = { account: 1, subscription: 2, kind: null };
const about = (part: Partial<PreferencesRow>): PreferencesRow => ({ account: 1, subscription: 2, ...part });
const change = (rows: PreferencesRow[], cells: Cell, until: string | null = null) => plan({ ...defaultPreferences(), rows }, KEY, cells, until, NOW);

describe("changing a cell", () => {
  it("keeps what else the row says", () => {
    const { rows, after } = change([about({ badge: "off" })], { toast: "digest" });
    expect(rows).toEqual([about({ badge: "off", toast: "digest" })]);
    expect(after.rows).toEqual(rows);
  });

  it("leaves rows about others alone, also those of its account and its types", () => {
    const others: PreferencesRow[] = [{ account: 1, toast: "off" }, { account: 1, subscription: 2, kind: "", toast: "off" }, { account: 2, subscription: 2, toast: "off" }];
    expect(change(others, { toast: "on" }).after.rows).toEqual([...others, about({ toast: "on" })]);
  });

  it("for a time lies above the lasting value, which comes back", () => {
    const { rows, after } = change([about({ toast: "off" })], { toast: "on" }, EVENING);
    expect(rows).toEqual([about({ until: EVENING, toast: "on" })]);
    expect(own(after, KEY, "toast", NOW)).toEqual({ value: "on", until: EVENING });
    expect(own(after, KEY, "toast", Date.parse(MONDAY))).toEqual({ value: "off", until: null });
  });

  it("for good ends an override of the same cell, and only that cell of it", () => {
    const { after } = change([about({ until: EVENING, toast: "on", mute: true })], { toast: "off" });
    expect(after.rows).toEqual([about({ until: EVENING, mute: true }), about({ toast: "off" })]);
  });

  it("with another end replaces the override", () => {
    expect(change([about({ until: EVENING, mute: true })], { mute: true }, MONDAY).after.rows).toEqual([about({ until: MONDAY, mute: true })]);
  });

  it("to what is inherited takes it out of every row about the same, and empty rows away", () => {
    const { after, rows } = change([about({ toast: "off", badge: "on" }), about({ until: EVENING, toast: "on" })], { toast: undefined });
    expect(after.rows).toEqual([about({ badge: "on" })]);
    expect(rows).toHaveLength(2);
  });

  it("leaves an override of other cells alone, whatever its end", () => {
    const { rows, after } = change([about({ until: EVENING, toast: "on" })], { mute: true }, MONDAY);
    expect(rows).toEqual([about({ until: MONDAY, mute: true })]);
    expect(after.rows).toEqual([about({ until: EVENING, toast: "on" }), about({ until: MONDAY, mute: true })]);
    expect(plan(after, KEY, { mute: undefined }, null, NOW).after.rows).toEqual([about({ until: EVENING, toast: "on" })]);
  });

  it("until sooner comes before what holds longer, which comes after it", () => {
    const { rows, after } = change([about({ until: MONDAY, toast: "off" }), about({ toast: "digest" })], { toast: "on" }, EVENING);
    expect(rows).toEqual([about({ until: EVENING, toast: "on" })]);
    expect(layers(after, KEY, "toast", NOW)).toEqual([
      { value: "on", until: EVENING },
      { value: "off", until: MONDAY },
      { value: "digest", until: null },
    ]);
    expect(own(after, KEY, "toast", Date.parse(EVENING))).toEqual({ value: "off", until: MONDAY });
  });

  it("until later takes away what would hide it", () => {
    const { after } = change([about({ until: EVENING, toast: "on", badge: "off" })], { toast: "off" }, MONDAY);
    expect(after.rows).toEqual([about({ until: EVENING, badge: "off" }), about({ until: MONDAY, toast: "off" })]);
  });

  it("to the same until sooner ends then, and not later", () => {
    expect(change([about({ until: MONDAY, mute: true })], { mute: true }, EVENING).after.rows).toEqual([about({ until: EVENING, mute: true })]);
  });

  it("is taken back one by one", () => {
    const rows = [about({ until: EVENING, toast: "on", mute: true }), about({ until: MONDAY, toast: "off" }), about({ toast: "digest" })];
    const without = (until: string | null) => taken({ ...defaultPreferences(), rows }, KEY, "toast", until, NOW);
    expect(without(MONDAY).rows).toEqual([about({ until: MONDAY })]);
    expect(without(MONDAY).after.rows).toEqual([rows[0], rows[2]]);
    expect(without(EVENING).after.rows).toContainEqual(about({ until: EVENING, mute: true }));
    expect(without(null).after.rows).toEqual([rows[0], rows[1]]);
    expect(without("2026-12-01T00:00:00Z").rows).toEqual([]);
  });

  it("forgets overrides that are over instead of sending them", () => {
    const { rows, after } = change([about({ until: "2026-11-22T11:00:00Z", mute: true })], { mute: undefined });
    expect(rows).toEqual([]);
    expect(after.rows).toEqual([]);
  });
});
