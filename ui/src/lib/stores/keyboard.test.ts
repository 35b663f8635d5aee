import { describe, expect, it } from "vitest";
import { words } from "../../messages/en";
import { command, type Key, type Where } from "./keyboard";

const key = (text: string): Key => {
  const parts = text.split("+");
  const last = text.endsWith("++") ? "+" : (parts.at(-1) ?? "");
  return {
    key: last,
    shiftKey: parts.includes("Shift"),
    ctrlKey: parts.includes("Ctrl"),
    metaKey: parts.includes("Meta"),
    altKey: parts.includes("Alt"),
  };
};
const list: Where = { typing: false, onControl: false, letters: true, afterG: false };

describe("in the list", () => {
  it.each([
    ["j", "next"],
    ["ArrowDown", "next"],
    ["k", "previous"],
    ["ArrowUp", "previous"],
    ["Home", "first"],
    ["End", "last"],
    ["Enter", "open"],
    ["o", "open"],
    ["Shift+Enter", "open-link"],
    ["e", "done"],
    ["y", "done"],
    ["Shift+I", "read"],
    ["Shift+U", "unread"],
    ["Delete", "delete"],
    ["Backspace", "delete"],
    ["Shift+#", "delete"],
    ["z", "undo"],
    ["Ctrl+z", "undo"],
    ["Meta+z", "undo"],
    ["/", "search"],
    ["Ctrl+f", "search"],
    ["x", "select"],
    ["Shift+ArrowDown", "extend-next"],
    ["Shift+ArrowUp", "extend-previous"],
    ["Ctrl+a", "select-all"],
    ["1", "action-1"],
    ["9", "action-9"],
    ["Shift+?", "help"],
    ["g", "g"],
    ["Ctrl+,", "settings"],
    ["Escape", "escape"],
    ["0", null],
    ["q", null],
    ["Alt+e", null],
    ["Ctrl+e", null],
    ["Ctrl+Shift+z", null],
  ] as const)("%s is %s", (text, expected) => {
    expect(command(key(text), list)).toBe(expected);
  });
});

it.each([
  ["a", "go-all"],
  ["i", "go-all"],
  ["u", "go-unread"],
  ["d", "go-done"],
  ["e", null],
] as const)("g %s is %s", (text, expected) => {
  expect(command(key(text), { ...list, afterG: true })).toBe(expected);
});

it("leaves a text field its keys, but for the few with Ctrl and Escape", () => {
  const field = { ...list, typing: true };
  for (const own of ["j", "e", "Delete", "Backspace", "1", "/", "?", "Enter", "Home", "ArrowDown", "Ctrl+a", "Ctrl+z"]) {
    expect(command(key(own), field), own).toBeNull();
  }
  expect(command(key("Escape"), field)).toBe("escape");
  expect(command(key("Ctrl+f"), field)).toBe("search");
  expect(command(key("Ctrl+,"), field)).toBe("settings");
});

it("leaves a button its Enter", () => {
  expect(command(key("Enter"), { ...list, onControl: true })).toBeNull();
});

it("obeys no single letter when they are switched off", () => {
  const off = { ...list, letters: false };
  for (const letter of "jkoeyxzgIU#/?123456789") expect(command(key(letter), off), letter).toBeNull();
  for (const still of ["ArrowDown", "Enter", "Delete", "Ctrl+z", "Ctrl+f", "Ctrl+,"]) {
    expect(command(key(still), off), still).not.toBeNull();
  }
});

it("has a help page that names every group of keys", () => {
  expect(words.keys.groups.flatMap(([, keys]) => keys).length).toBeGreaterThanOrEqual(16);
});
