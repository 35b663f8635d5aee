import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { account } from "../api/fake-data";
import { cleartext } from "./address";
import { firstCommand } from "./command";
import { linked } from "./links";
import { countdown, longAgo, shortAgo, size } from "./time";

const NOW = Date.parse("2026-11-20T10:41:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

it.each([
  [0, "now", "now"],
  [-30, "now", "now"],
  [59, "now", "now"],
  [60, "1 min", "1 minute ago"],
  [7 * 60, "7 min", "7 minutes ago"],
  [3 * 3600 + 60, "3 h", "3 hours ago"],
  [30 * 3600, "1 d", "yesterday"],
  [6 * 86_400, "6 d", "6 days ago"],
])("%i seconds ago", (seconds, short, long) => {
  expect(shortAgo(ago(seconds), NOW)).toBe(short);
  expect(longAgo(ago(seconds), NOW)).toBe(long);
});

it("gives a date after a week, with its year when that is another", () => {
  expect(shortAgo(ago(20 * 86_400), NOW)).toMatch(/31|30|Oct/);
  expect(shortAgo("2025-03-01T12:00:00Z", NOW)).toContain("2025");
});

it.each([
  [20_000, "20 s"],
  [90_000, "2 min"],
  [7_200_000, "2 h"],
  [0, "now"],
  [-5, "now"],
])("counts down from %i ms", (left, expected) => {
  expect(countdown(new Date(NOW + left).toISOString(), NOW)).toBe(expected);
});

it.each([
  [0, "0 B"],
  [999, "999 B"],
  [184_320, "184.3 kB"],
  [5_000_000, "5 MB"],
  [7_300_000_000, "7.3 GB"],
])("%i bytes", (bytes, expected) => {
  expect(size(bytes)).toBe(expected);
});

describe("the first command", () => {
  const one = account(1, "home", "https://ntfy.example.org/", NOW);

  it.each([
    [{ by: "none" }, 'curl -d "Hello from Tidings" https://ntfy.example.org/backups'],
    [{ by: "basic", user: "ada" }, 'curl -u ada -d "Hello from Tidings" https://ntfy.example.org/backups'],
    [{ by: "basic", user: "a'; rm -rf" }, `curl -u 'a'\\''; rm -rf' -d "Hello from Tidings" https://ntfy.example.org/backups`],
    [{ by: "token" }, 'curl -H "Authorization: Bearer $TOKEN" -d "Hello from Tidings" https://ntfy.example.org/backups'],
  ] as const)("%j", (sign_in, expected) => {
    expect(firstCommand({ ...one, sign_in }, "backups")).toBe(expected);
  });
});

it.each([
  ["http://ntfy.lan", true],
  ["HTTP://ntfy.lan", true],
  ["http://192.168.1.4:80", true],
  ["http://", true],
  ["https://ntfy.lan", false],
  ["ntfy.lan", false],
  ["http://localhost:8080", false],
  ["http://127.0.0.1:8080/x", false],
  ["http://[::1]:8080", false],
])("%s in the clear: %s", (url, expected) => {
  expect(cleartext(url)).toBe(expected);
});

describe("addresses in plain text", () => {
  // The resident finds the same ones, and opens no others.
  const cases = JSON.parse(readFileSync("../tests/text/links.json", "utf8")) as { text: string; links: string[] }[];

  it.each(cases)("$text", ({ text, links }) => {
    const parts = linked(text);
    expect(parts.filter((part) => part.link).map((part) => part.text)).toEqual(links);
    expect(parts.map((part) => part.text).join("")).toBe(text);
  });
});
