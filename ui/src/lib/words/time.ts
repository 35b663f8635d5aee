// Moments as words. The words are English, so another system language must not leak into them.

const LOCALE = navigator.language.startsWith("en") ? navigator.language : "en-GB";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const long = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto", style: "long" });
const timeOfDay = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(LOCALE, {
  weekday: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const whole = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "medium" });

/** "now", "5 min", "3 h", "2 d", then a date: for a list, where room is scarce. */
export function shortAgo(iso: string, now: number): string {
  const then = Date.parse(iso);
  const age = now - then;
  if (age < MINUTE) return "now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h`;
  if (age < 7 * DAY) return `${Math.floor(age / DAY)} d`;
  const sameYear = new Date(then).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? day : dayOfYear).format(then);
}

/** "now", "2 minutes ago", "yesterday": to be read aloud or in a sentence. */
export function longAgo(iso: string, now: number): string {
  const age = Math.max(0, now - Date.parse(iso));
  if (age < MINUTE) return "now";
  if (age < HOUR) return long.format(-Math.floor(age / MINUTE), "minute");
  if (age < DAY) return long.format(-Math.floor(age / HOUR), "hour");
  return long.format(-Math.floor(age / DAY), "day");
}

/** "10:41" today, "Mon 10:41" within a week, else with its date. */
export function clockTime(iso: string, now: number): string {
  const then = new Date(iso);
  if (then.toDateString() === new Date(now).toDateString()) return timeOfDay.format(then);
  if (Math.abs(then.getTime() - now) < 6 * DAY) return weekday.format(then);
  return `${day.format(then)} ${timeOfDay.format(then)}`;
}

/** The whole moment: for tooltips. */
export function absolute(iso: string): string {
  return whole.format(Date.parse(iso));
}

/** "now", "20 s", "4 min": how long from now. */
export function countdown(iso: string, now: number): string {
  const left = Date.parse(iso) - now;
  if (left <= 0) return "now";
  if (left < MINUTE) return `${Math.ceil(left / 1000)} s`;
  if (left < HOUR) return `${Math.ceil(left / MINUTE)} min`;
  return `${Math.ceil(left / HOUR)} h`;
}

/** "12 B", "3.4 MB". */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  for (const [unit, factor] of [
    ["kB", 1e3],
    ["MB", 1e6],
    ["GB", 1e9],
  ] as const) {
    if (bytes < factor * 1000 || unit === "GB") {
      return `${(bytes / factor).toLocaleString(LOCALE, { maximumFractionDigits: 1 })} ${unit}`;
    }
  }
  return `${bytes} B`;
}

/** A count with its separators. */
export function count(n: number): string {
  return n.toLocaleString(LOCALE);
}
