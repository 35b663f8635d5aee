import { describe, expect, test } from "vitest";
import type { AccountView } from "../bindings/AccountView";
import type { Row } from "../bindings/Row";
import { gapsAbove, gapsOf } from "./gaps";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
const gap = (from: number, to: number, missing = "the server no longer held all of it") => ({ from: at(from), to: at(to), filled: 0, missing });
const subscription = (id: number, name: string, gaps: ReturnType<typeof gap>[]) => ({ id, name, continuity: { since: null, gaps } });
const account = (id: number, subscriptions: ReturnType<typeof subscription>[]) => ({ id, subscriptions }) as unknown as AccountView;
const row = (id: number, minute: number) => ({ id, created_at: at(minute) }) as unknown as Row;
const everything = { account: null, subscription: null };

describe("gaps", () => {
  const accounts = [
    account(1, [subscription(1, "alerts", [gap(10, 20), gap(30, 31, "")]), subscription(2, "builds", [gap(10, 20)])]),
    account(2, [subscription(3, "chat", [gap(40, 50, "this server keeps nothing for later")])]),
  ];

  test("only what is missing is told, once, newest first", () => {
    expect(gapsOf(accounts, everything).map(({ from, names }) => [from, names])).toEqual([
      [at(40), ["chat"]],
      [at(10), ["alerts", "builds"]],
    ]);
    expect(gapsOf(accounts, { account: 2, subscription: null })).toHaveLength(1);
    expect(gapsOf(accounts, { account: null, subscription: 2 })[0]?.names).toEqual(["builds"]);
  });

  test("a gap lies above the first row that is older than it", () => {
    const gaps = gapsOf(accounts, everything);
    const above = gapsAbove([row(1, 55), row(2, 35), row(3, 5)], gaps);
    expect([...above].map(([id, found]) => [id, found.map((one) => one.from)])).toEqual([
      [2, [at(40)]],
      [3, [at(10)]],
    ]);
    expect(gapsAbove([row(1, 55)], gaps).size).toBe(0);
    expect(gapsAbove([row(1, 1)], gaps).get(1)).toHaveLength(2);
  });
});
