import { expect, it } from "vitest";
import { evening, localField, nextMonday, tomorrow, typedTime } from "./times";

// Local times: what a menu offers goes by this computer's clock.
const at = (day: number, hour: number, minute = 0) => new Date(2026, 10, day, hour, minute).getTime();
const local = (iso: string | null) => iso && localField(iso);

it("tomorrow is the next morning, and before dawn this morning", () => {
  expect(local(tomorrow(at(22, 12)))).toBe("2026-11-23T08:00");
  expect(local(tomorrow(at(23, 1)))).toBe("2026-11-23T08:00");
});

it("next week is the next Monday, never today", () => {
  expect(local(nextMonday(at(22, 23)))).toBe("2026-11-23T08:00");
  expect(local(nextMonday(at(23, 7)))).toBe("2026-11-30T08:00");
});

it("this evening is offered until it has come", () => {
  expect(local(evening(at(22, 12)))).toBe("2026-11-22T18:00");
  expect(evening(at(22, 17, 45))).toBeNull();
});

it("a typed time has to be still to come", () => {
  expect(local(typedTime("2026-11-22T13:30", at(22, 12)))).toBe("2026-11-22T13:30");
  expect(typedTime("2026-11-22T11:30", at(22, 12))).toBeNull();
  expect(typedTime("", at(22, 12))).toBeNull();
  expect(typedTime("soon", at(22, 12))).toBeNull();
});
