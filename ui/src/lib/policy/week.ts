// Quiet hours on a week: bars, what dragging them means, and when they come next. Pure.

import type { Day } from "../bindings/Day";
import type { Quiet } from "../bindings/Quiet";
import type { Schedule } from "../bindings/Schedule";
import { civil, dayOf, later, moment, WEEK } from "./zone";

/** Minutes of a day. */
export const WHOLE = 1440;
/** Dragging goes in steps of so many minutes. */
export const STEP = 15;

/** A part of a window on one day, minutes since its midnight. */
export type Bar = {
  /** The day on which it is drawn. */
  day: Day;
  /** The day that the window belongs to. */
  starts: Day;
  from: number;
  to: number;
  /** The window began on the day before. */
  continues: boolean;
  /** The window goes on on the day after. */
  goesOn: boolean;
};

/** "07:05" as minutes since midnight; none if it is no time. */
export function minutesOf(text: string): number | null {
  const found = /^(\d{1,2}):(\d{2})$/.exec(text);
  if (!found) return null;
  const [hour, minute] = [Number(found[1]), Number(found[2])];
  return hour < 24 && minute < 60 ? hour * 60 + minute : null;
}

/** Minutes since midnight as "07:05". */
export function clockOf(minutes: number): string {
  const within = ((minutes % WHOLE) + WHOLE) % WHOLE;
  return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
}

/** How long the windows of a schedule are, minutes: 1 to 1440. */
export function lengthOf(schedule: Pick<Schedule, "from" | "to">): number {
  const length = ((minutesOf(schedule.to) ?? 0) - (minutesOf(schedule.from) ?? 0) + WHOLE) % WHOLE;
  return length === 0 ? WHOLE : length;
}

/** The bars of a schedule. Over midnight a window is two of them; Sunday's goes on on Monday. */
export function barsOf(schedule: Schedule): Bar[] {
  const from = minutesOf(schedule.from) ?? 0;
  const end = from + lengthOf(schedule);
  return WEEK.flatMap((starts, index): Bar[] => {
    if (!schedule.days.includes(starts)) return [];
    if (end <= WHOLE) return [{ day: starts, starts, from, to: end, continues: false, goesOn: false }];
    const next = WEEK[(index + 1) % WEEK.length] as Day;
    return [
      { day: starts, starts, from, to: WHOLE, continues: false, goesOn: true },
      { day: next, starts, from: 0, to: end - WHOLE, continues: true, goesOn: false },
    ];
  });
}

/** Which part of a window is dragged. */
export type Grip = "start" | "end" | "whole";

const snap = (minutes: number) => Math.round(minutes / STEP) * STEP;

/** The times of a schedule of which a part was moved by so many minutes. */
export function dragged(schedule: Pick<Schedule, "from" | "to">, grip: Grip, by: number): { from: string; to: string } {
  const from = minutesOf(schedule.from) ?? 0;
  const length = lengthOf(schedule);
  const moved = snap(by);
  switch (grip) {
    case "whole":
      return { from: clockOf(from + moved), to: clockOf(from + moved + length) };
    case "start": {
      // Its end stays, and it neither vanishes nor laps itself.
      const kept = Math.min(Math.max(length - moved, STEP), WHOLE);
      return { from: clockOf(from + length - kept), to: schedule.to };
    }
    case "end": {
      const kept = Math.min(Math.max(length + moved, STEP), WHOLE);
      return { from: schedule.from, to: clockOf(from + kept) };
    }
  }
}

/** A window of quiet hours, milliseconds. */
export type Window = { schedule: Schedule; date: string; from: number; to: number };

/** The windows that begin on some days around a moment, in the order of their beginnings. */
function windows(quiet: Quiet, at: number, days: number): Window[] {
  const today = civil(at, quiet.zone).date;
  const found: Window[] = [];
  for (let day = -1; day <= days; day += 1) {
    const date = later(today, day);
    for (const schedule of quiet.schedules) {
      if (schedule.off || schedule.skip === date || !schedule.days.includes(dayOf(date))) continue;
      const from = minutesOf(schedule.from) ?? 0;
      const end = from + lengthOf(schedule);
      const last = end >= WHOLE ? { date: later(date, 1), minutes: end - WHOLE } : { date, minutes: end };
      found.push({ schedule, date, from: moment({ date, minutes: from }, quiet.zone), to: moment(last, quiet.zone) });
    }
  }
  return found.sort((a, b) => a.from - b.from);
}

/** The window that a moment lies in: of several the one that ends last. */
export function quietAt(quiet: Quiet, at: number): Window | null {
  const within = windows(quiet, at, 0).filter((window) => window.from <= at && at < window.to);
  return within.sort((a, b) => b.to - a.to)[0] ?? null;
}

/** The window that begins next. */
export function nextQuiet(quiet: Quiet, at: number): Window | null {
  return windows(quiet, at, 8).find((window) => window.from > at) ?? null;
}
