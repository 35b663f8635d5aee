// The ledger of a notification as a text to be passed on.

import type { LedgerEntry } from "../bindings/LedgerEntry";

/** Each decision with its rules, one a line; the one that decided is marked. */
export function ledgerText(title: string, entries: readonly LedgerEntry[]): string {
  const parts = entries.map((entry) =>
    [
      `${entry.at}  ${entry.verdict}${entry.progress === "" ? "" : ` (${entry.progress})`}`,
      ...entry.lines.map((line) => `  ${line.decided ? "*" : " "} ${line.rule}: ${line.says}`),
    ].join("\n"),
  );
  return [title, ...parts].join("\n\n");
}
