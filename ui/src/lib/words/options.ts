// An account's own settings: a JSON object as text, empty for none.

import type { FieldView } from "../bindings/FieldView";

/** What the fields of a form hold, by name. */
export type Options = Record<string, unknown>;

/** Fields that every account has; all others are members of the options. */
const COMMON = new Set(["url", "user", "secret", "token", "topics"]);

/** The fields of a server family's own settings. */
export const optionFields = (fields: readonly FieldView[]): FieldView[] => fields.filter((one) => !COMMON.has(one.name));

/** What a text holds; nothing where it cannot be read. */
export function optionsOf(text: string): Options {
  if (text.trim() === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Options) : {};
  } catch {
    return {};
  }
}

/** The text for what was entered; what is empty is left out. */
export function optionsText(options: Options): string {
  const entered = Object.entries(options).filter(([, value]) => value !== "" && value !== false && value !== undefined);
  return entered.length === 0 ? "" : JSON.stringify(Object.fromEntries(entered));
}
