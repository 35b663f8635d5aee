// Which key means what. Pure: the same table drives the inbox and its help page.

/** What a key asks for. */
export type Command =
  | "next"
  | "previous"
  | "first"
  | "last"
  | "extend-next"
  | "extend-previous"
  | "select"
  | "select-all"
  | "open"
  | "open-link"
  | "done"
  | "read"
  | "unread"
  | "delete"
  | "undo"
  | "search"
  | "help"
  | "settings"
  | "go-all"
  | "go-unread"
  | "go-done"
  | "go-snoozed"
  | "snooze"
  | "escape"
  | `action-${number}`;

/** The part of a KeyboardEvent that counts. */
export type Key = {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
};

/** Where the key was struck. */
export type Where = {
  /** A text field has the focus: only combinations with Ctrl and Escape count. */
  typing: boolean;
  /** A button, link or menu has the focus: Enter and Space are its own. */
  onControl: boolean;
  /** Single letters are switched on. */
  letters: boolean;
  /** `g` was struck just before. */
  afterG: boolean;
};

const PLAIN: Record<string, Command> = {
  ArrowDown: "next",
  ArrowUp: "previous",
  Home: "first",
  End: "last",
  Delete: "delete",
  Backspace: "delete",
  Escape: "escape",
};

const LETTERS: Record<string, Command> = {
  j: "next",
  k: "previous",
  o: "open",
  e: "done",
  y: "done",
  h: "snooze",
  x: "select",
  z: "undo",
  I: "read",
  U: "unread",
  "#": "delete",
  "/": "search",
  "?": "help",
};

const AFTER_G: Record<string, Command> = { a: "go-all", i: "go-all", u: "go-unread", d: "go-done", s: "go-snoozed" };

/** The command of a key, `"g"` for the first half of a pair, or nothing. */
export function command(key: Key, where: Where): Command | "g" | null {
  const control = key.ctrlKey || key.metaKey;
  if (key.altKey) return null;
  if (control) {
    if (key.key === ",") return "settings";
    if (key.key === "f") return "search";
    if (where.typing) return null;
    if (key.key === "a") return "select-all";
    if (key.key === "z" && !key.shiftKey) return "undo";
    return null;
  }
  if (where.typing) return key.key === "Escape" ? "escape" : null;
  if (key.key === "Enter") {
    if (where.onControl) return null;
    return key.shiftKey ? "open-link" : "open";
  }
  if (key.shiftKey && key.key === "ArrowDown") return "extend-next";
  if (key.shiftKey && key.key === "ArrowUp") return "extend-previous";
  const plain = PLAIN[key.key];
  if (plain) return plain;
  if (!where.letters) return null;
  if (where.afterG) return AFTER_G[key.key] ?? null;
  if (key.key === "g") return "g";
  if (/^[1-9]$/.test(key.key)) return `action-${Number(key.key)}`;
  return LETTERS[key.key] ?? null;
}
