// Rules that no compiler holds.

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => /\.(ts|svelte|css)$/.test(path) && !path.includes("bindings") && !path.endsWith(".test.ts"))
  .map((path) => ({ path, text: readFileSync(`src/${path}`, "utf8") }));

it("names colours in one file only", () => {
  const naming = sources
    .filter(({ path, text }) => /\.(css|svelte)$/.test(path) && /#[0-9a-f]{3,8}\b(?=[^"]*;)/i.test(styleOf(text, path)))
    .map(({ path }) => path);
  expect(naming).toEqual(["app.css"]);
});

it("puts sanitised HTML into the page in one place only", () => {
  const raw = sources.filter(({ path, text }) => path.endsWith(".svelte") && text.includes("{@html")).map(({ path }) => path);
  expect(raw).toEqual(["views/inbox/DetailPane.svelte"]);
});

it("writes no physical sides, so that right-to-left mirrors", () => {
  const physical = /(?:^|[\s;{])(?:margin|padding|border)-(?:left|right)\b|(?:^|[\s;{])(?:left|right):|text-align: (?:left|right)/;
  const wrong = sources.filter(({ path, text }) => physical.test(styleOf(text, path))).map(({ path }) => path);
  expect(wrong).toEqual([]);
});

it("keeps the lock file free of hosts", () => {
  expect(readFileSync("package-lock.json", "utf8")).not.toMatch(/"resolved"/);
});

function styleOf(text: string, path: string): string {
  if (path.endsWith(".css")) return text;
  const at = text.indexOf("<style>");
  return at < 0 ? "" : text.slice(at);
}
