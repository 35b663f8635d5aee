// Civil time in a named zone, as far as the engine's own calendar knows it.

import type { Day } from "../bindings/Day";

const MINUTE = 60_000;
const DAY = 86_400_000;

/** The days of a week, Monday first. */
export const WEEK: readonly Day[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** What a wall clock and a calendar show: a date as 2026-11-22, and minutes since midnight. */
export type Civil = { date: string; minutes: number };

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const options: Intl.DateTimeFormatOptions = {
    hourCycle: "h23",
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  };
  const made = new Intl.DateTimeFormat("en-GB", zone === "" ? options : { ...options, timeZone: zone });
  formats.set(zone, made);
  return made;
}

/** Whether this engine knows a zone of this name; empty: the computer's. */
export function knowsZone(zone: string): boolean {
  try {
    format(zone);
    return true;
  } catch {
    return false;
  }
}

/** All zones with a name, or none where the engine does not list them. */
export function zoneNames(): string[] {
  return typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
}

/** The zone this computer is in. */
export function zoneHere(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** What the clocks of a zone show at a moment, milliseconds. */
export function civil(at: number, zone: string): Civil {
  const parts = Object.fromEntries(format(knowsZone(zone) ? zone : "").formatToParts(at).map(({ type, value }) => [type, value]));
  return {
    date: `${parts["year"]}-${parts["month"]}-${parts["day"]}`,
    minutes: Number(parts["hour"]) * 60 + Number(parts["minute"]),
  };
}

/** The first moment at which the clocks of a zone show this, or are past it where they skip it. */
export function moment(wall: Civil, zone: string): number {
  const wanted = Date.parse(`${wall.date}T00:00:00Z`) + wall.minutes * MINUTE;
  const offset = (at: number) => {
    const seen = civil(at, zone);
    return Date.parse(`${seen.date}T00:00:00Z`) + seen.minutes * MINUTE - Math.floor(at / MINUTE) * MINUTE;
  };
  // The greater offset gives the earlier moment, which is the right one where the clock passes twice.
  const candidates = [offset(wanted - DAY), offset(wanted + DAY)].map((by) => wanted - by).sort((a, b) => a - b);
  const exact = candidates.find((at) => wanted === at + offset(at));
  return exact ?? (candidates[1] as number);
}

/** The date so many days later. */
export function later(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** The day of the week of a date. */
export function dayOf(date: string): Day {
  return WEEK[(new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7] as Day;
}
