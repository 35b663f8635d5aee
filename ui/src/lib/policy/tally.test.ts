import { expect, it } from "vitest";
import type { Simulation } from "../bindings/Simulation";
import { dayTallies, hourTallies } from "./tally";

it("every toast is in exactly one day and one hour", () => {
  const hours = Array.from({ length: 7 * 24 }, (_, hour) => hour % 5);
  const outcomes = { toasts: 0, digests: 0, held: 0, silent: 0, hours };
  const from = new Date(2026, 10, 2).toISOString();
  const simulation: Simulation = { days: 7, from, notifications: 0, now: outcomes, then: { ...outcomes, hours: [] }, differences: [], different: 0, problems: [] };
  const all = hours.reduce((sum, one) => sum + one, 0);
  for (const tallies of [dayTallies(simulation), hourTallies(simulation)]) {
    expect(tallies.reduce((sum, one) => sum + one.now, 0)).toBe(all);
    expect(tallies.reduce((sum, one) => sum + one.then, 0)).toBe(0);
  }
  expect(dayTallies(simulation).map((one) => one.label)).toEqual(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
});
