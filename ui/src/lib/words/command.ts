// The command that publishes a first notification.

import type { AccountView } from "../bindings/AccountView";

/** A curl command for a POSIX shell; it asks for a password rather than holding one. */
export function firstCommand(account: AccountView, topic: string): string {
  const address = quoted(`${account.url.replace(/\/+$/, "")}/${topic}`);
  const signIn =
    account.sign_in.by === "basic"
      ? `-u ${quoted(account.sign_in.user)} `
      : account.sign_in.by === "token"
        ? '-H "Authorization: Bearer $TOKEN" '
        : "";
  return `curl ${signIn}-d "Hello from Tidings" ${address}`;
}

function quoted(word: string): string {
  return /^[-\w./:@%+,=]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
