// Times that a menu offers, in this computer's own clock.

const HOUR = 3_600_000;

/** The hour at which a day begins for those who put something off. */
const MORNING = 8;
const EVENING = 18;

function at(now: number, days: number, hour: number): number {
  const day = new Date(now);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, hour).getTime();
}

/** The morning of tomorrow; of today before it has begun. */
export function tomorrow(now: number): string {
  const early = new Date(now).getHours() < 4;
  return new Date(at(now, early ? 0 : 1, MORNING)).toISOString();
}

/** The morning of the next Monday. */
export function nextMonday(now: number): string {
  const day = new Date(now).getDay();
  return new Date(at(now, ((8 - day) % 7) || 7, MORNING)).toISOString();
}

/** This evening, or none where it has begun. */
export function evening(now: number): string | null {
  const then = at(now, 0, EVENING);
  return then - now > HOUR / 2 ? new Date(then).toISOString() : null;
}

/** So many hours from now. */
export function inHours(now: number, hours: number): string {
  return new Date(now + hours * HOUR).toISOString();
}

/** What a field of a local date and time says, as a moment; none if it is empty or past. */
export function typedTime(text: string, now: number): string | null {
  const then = new Date(text).getTime();
  return text !== "" && Number.isFinite(then) && then > now ? new Date(then).toISOString() : null;
}

/** A moment as a field of a local date and time shows it. */
export function localField(iso: string): string {
  const then = new Date(iso);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}T${two(then.getHours())}:${two(then.getMinutes())}`;
}
