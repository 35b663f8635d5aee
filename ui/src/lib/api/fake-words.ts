// What the fake resident finds, and what it says that it did.

import type { Change } from "../bindings/Change";
import type { ErrorCode } from "../bindings/ErrorCode";
import type { ErrorView } from "../bindings/ErrorView";
import type { Row } from "../bindings/Row";

const plural = (n: number, what: string) => `${n} ${n === 1 ? "notification" : "notifications"} ${what}`;

const SAYS: Record<Extract<Change, string>, string> = {
  seen: "seen",
  read: "marked read",
  unread: "marked unread",
  done: "moved to Done",
  restore: "moved back to the inbox",
  delete: "deleted",
};

/** What was done, in words. */
export const says = (count: number, change: Change): string => plural(count, typeof change === "object" ? "snoozed" : SAYS[change]);

/** Whether a row is what one term of a search asks for. */
export function matches(row: Row, term: string): boolean {
  const [key, value] = term.split(":");
  if (key === "from" && value !== undefined) {
    return `${row.subscription_name} ${row.account_name} ${row.topic}`.toLowerCase().includes(value);
  }
  if (key === "is" && value !== undefined) return value === "unread" ? !row.read : value === "read" ? row.read : row.tier === value;
  const priority = /^p>=([1-5])$/.exec(term);
  if (priority) return row.priority >= Number(priority[1]);
  return `${row.title} ${row.preview} ${row.tags.join(" ")}`.toLowerCase().includes(term);
}

/** Refuses, in words. */
export function fail(code: ErrorCode, message: string, detail = ""): never {
  const error: ErrorView = { code, message, detail };
  throw error;
}
