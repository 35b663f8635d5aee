// The contrasts of the tokens, computed as WCAG 2.2 says (relative luminance, contrast ratio).

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/app.css", "utf8");
const root = css.slice(css.indexOf(":root {"), css.indexOf("}", css.indexOf(":root {")));
const themes = ["light", "dark"] as const;

const tokens = new Map(
  [...root.matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)/g)].map(
    ([, name, light, dark]) => [name ?? "", { light: light ?? "", dark: dark ?? "" }],
  ),
);

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function colour(name: string, theme: (typeof themes)[number]): string {
  const token = tokens.get(name);
  if (!token) throw new Error(`no token --${name}`);
  return token[theme];
}

const surfaces = ["surface", "surface-side", "surface-raised", "surface-hover", "surface-selected", "surface-code"];
const banners = ["critical-surface", "warning-surface", "info-surface"];

const text: [string, string[]][] = [
  ["text", [...surfaces, ...banners]],
  ["text-muted", [...surfaces, ...banners]],
  ["accent", ["surface", "surface-raised", "surface-hover"]],
  ["critical", ["surface", "surface-hover", "surface-selected", "surface-raised"]],
  ["important", ["surface", "surface-hover", "surface-selected"]],
  ["on-accent", ["accent-fill"]],
];

/** Marks, borders of controls, the focus ring: 3 to 1. */
const shapes: [string, string[]][] = [
  ["focus", [...surfaces, ...banners]],
  ["line-control", ["surface", "surface-raised"]],
  ["accent", ["surface-selected", "surface-hover"]],
  ["good", ["surface", "surface-side"]],
  ["important", ["surface-side"]],
  ["critical", ["surface-side", "critical-surface"]],
  ["accent-fill", ["surface"]],
];

describe.each(themes)("%s", (theme) => {
  it.each(text.flatMap(([front, backs]) => backs.map((back) => [front, back] as const)))(
    "%s can be read on %s",
    (front, back) => {
      expect(contrast(colour(front, theme), colour(back, theme))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(shapes.flatMap(([front, backs]) => backs.map((back) => [front, back] as const)))(
    "%s can be seen on %s",
    (front, back) => {
      expect(contrast(colour(front, theme), colour(back, theme))).toBeGreaterThanOrEqual(3);
    },
  );
});

it("knows black on white", () => {
  expect(contrast("#000000", "#ffffff")).toBe(21);
});
