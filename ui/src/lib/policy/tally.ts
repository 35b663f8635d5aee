// What a simulation's hours add up to.

import type { Simulation } from "../bindings/Simulation";

const HOUR = 3_600_000;

/** Toasts and digests of a day, or of an hour of all days. */
export type Tally = { label: string; now: number; then: number };

const LOCALE = navigator.language.startsWith("en") ? navigator.language : "en-GB";
const weekday = new Intl.DateTimeFormat(LOCALE, { weekday: "short" });

const sum = (hours: readonly number[], wanted: (hour: number) => boolean) =>
  hours.reduce((all, number, hour) => (wanted(hour) ? all + number : all), 0);

/** By day, the first one first. An hour belongs to the day on which it began here. */
export function dayTallies({ days, from, now, then }: Simulation): Tally[] {
  const start = Date.parse(from);
  const dates = Array.from({ length: days }, (_, day) => {
    const first = new Date(start);
    return new Date(first.getFullYear(), first.getMonth(), first.getDate() + day).toDateString();
  });
  const isOn = (date: string) => (hour: number) => new Date(start + hour * HOUR).toDateString() === date;
  return dates.map((date) => ({
    label: weekday.format(new Date(date)),
    now: sum(now.hours, isOn(date)),
    then: sum(then.hours, isOn(date)),
  }));
}

/** By hour of the day, midnight first. */
export function hourTallies({ from, now, then }: Simulation): Tally[] {
  const start = Date.parse(from);
  return Array.from({ length: 24 }, (_, wanted) => {
    const isAt = (hour: number) => new Date(start + hour * HOUR).getHours() === wanted;
    return { label: `${String(wanted).padStart(2, "0")}:00`, now: sum(now.hours, isAt), then: sum(then.hours, isAt) };
  });
}
