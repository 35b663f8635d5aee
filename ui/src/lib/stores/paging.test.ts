import { describe, expect, it } from "vitest";
import type { Row } from "../bindings/Row";
import { newcomer } from "../api/fake-data";
import { append, mergeHead, patch, successor, unknown } from "./paging";

const row = (id: number): Row => ({ ...newcomer(id, 0), id });
const rows = (...ids: number[]) => ids.map(row);
const ids = (list: { rows: Row[] }) => list.rows.map((one) => one.id);
const never = () => false;

describe("append", () => {
  it("adds the next page and its cursor", () => {
    const loaded = append({ rows: rows(9, 8), next: "a" }, { rows: rows(7, 6), next: "b" });
    expect(ids(loaded)).toEqual([9, 8, 7, 6]);
    expect(loaded.next).toBe("b");
  });

  it("shows a row that moved down only once", () => {
    expect(ids(append({ rows: rows(9, 8), next: "a" }, { rows: rows(8, 7), next: null }))).toEqual([9, 8, 7]);
  });
});

describe("mergeHead", () => {
  it.each([
    ["an arrival", [5, 4, 3], "n", [6, 5], "x", [6, 5, 4, 3], "n"],
    ["nothing new", [5, 4, 3], "n", [5, 4], "x", [5, 4, 3], "n"],
    ["one that left", [5, 4, 3, 2], "n", [5, 3], "x", [5, 3, 2], "n"],
    ["one that came in the middle", [9, 7, 5], "n", [9, 8, 7], "x", [9, 8, 7, 5], "n"],
    ["a page that goes further than what is loaded", [5], "n", [6, 5, 4], "x", [6, 5, 4], "x"],
    ["more arrivals than a page", [3, 2, 1], "n", [99, 98], "x", [99, 98], "x"],
    ["an empty list that fills", [], null, [2, 1], "x", [2, 1], "x"],
    ["the whole list in one page", [5, 4, 3], "n", [5], null, [5], null],
    ["everything gone", [5, 4], "n", [], null, [], null],
  ])("%s", (_, old, next, page, pageNext, expected, expectedNext) => {
    const merged = mergeHead({ rows: rows(...old), next }, { rows: rows(...page), next: pageNext }, never);
    expect(ids(merged)).toEqual(expected);
    expect(merged.next).toBe(expectedNext);
  });

  it("takes what the page says of a known row", () => {
    const page = { rows: [{ ...row(5), read: true }], next: "x" };
    expect(mergeHead({ rows: rows(5, 4), next: "n" }, page, never).rows[0]?.read).toBe(true);
  });

  it("keeps what it is told to keep, where it stood", () => {
    const kept = mergeHead({ rows: rows(5, 4, 3, 2), next: null }, { rows: rows(6, 5, 2), next: null }, (one) => one.id === 4 || one.id === 3);
    expect(ids(kept)).toEqual([6, 5, 4, 3, 2]);
    const first = mergeHead({ rows: rows(5, 4), next: null }, { rows: rows(4), next: null }, (one) => one.id === 5);
    expect(ids(first)).toEqual([5, 4]);
  });
});

it("finds what is unknown", () => {
  expect(unknown(rows(6, 5, 4), rows(5)).map((one) => one.id)).toEqual([6, 4]);
});

it("patches only the rows it is told to", () => {
  expect(patch(rows(2, 1), new Set([1]), { read: true }).map((one) => one.read)).toEqual([false, true]);
});

describe("successor", () => {
  it.each([
    ["the next", [5, 4, 3], [4], 4, 3],
    ["the one before, at the end", [5, 4, 3], [3], 3, 4],
    ["past others that leave", [5, 4, 3, 2], [4, 3], 4, 2],
    ["itself, when others leave", [5, 4, 3], [5], 4, 4],
    ["none, when all leave", [5, 4], [5, 4], 5, null],
    ["none, when the keyboard was nowhere", [5, 4], [5], null, null],
  ] as const)("%s", (_, list, leaving, from, expected) => {
    expect(successor(rows(...list), new Set(leaving), from)).toBe(expected);
  });
});
