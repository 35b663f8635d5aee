// What a rule of the user's does, as one word for a list of choices.

import type { Then } from "../bindings/Then";
import type { UserRule } from "../bindings/UserRule";

export const THENS = ["mute", "on", "digest", "off", "critical", "important", "informational", "mandatory"] as const;
export type ThenWord = (typeof THENS)[number];

export function wordOf(then: Then): ThenWord {
  switch (then.what) {
    case "toast":
      return then.toast;
    case "tier":
      return then.tier;
    default:
      return then.what;
  }
}

export function thenOf(word: ThenWord): Then {
  switch (word) {
    case "mute":
    case "mandatory":
      return { what: word };
    case "on":
    case "digest":
    case "off":
      return { what: "toast", toast: word };
    default:
      return { what: "tier", tier: word };
  }
}

/** Whether a rule asks for anything at all. */
export function asks(rule: UserRule): boolean {
  return rule.account !== undefined || rule.kind !== undefined || rule.text !== undefined || (rule.tags ?? []).length > 0;
}

/** The list with one moved to another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, index) => index !== from);
  const one = list[from];
  return one === undefined ? [...list] : [...rest.slice(0, to), one, ...rest.slice(to)];
}
