import { describe, expect, test } from "vitest";
import { optionFields, optionsOf, optionsText } from "./options";

describe("options", () => {
  test("what is empty is left out, and comes back empty", () => {
    expect(optionsText({ key: "abc", history: "", live: false, events: ["a"] })).toBe('{"key":"abc","events":["a"]}');
    expect(optionsText({ key: "" })).toBe("");
    expect(optionsOf("")).toEqual({});
    expect(optionsOf('{"key":"abc"}')).toEqual({ key: "abc" });
  });

  test.each(["[1]", "7", "null", "{", "nonsense"])("%s is no object", (text) => {
    expect(optionsOf(text)).toEqual({});
  });

  test("fields that every account has are none of them", () => {
    const field = (name: string) => ({ name, label: name, hint: "", kind: "text" as const, choices: [] });
    expect(optionFields(["url", "key", "topics", "token", "secret", "user"].map(field))).toEqual([field("key")]);
  });
});
