// Another client's file, made short enough for the way to the resident.

/** What goes as it stands, in characters. */
const LONG = 500_000;

/** A backup of the ntfy app without its old messages, which are never taken over: their number stays. */
export function withoutNotifications(text: string): string {
  if (text.length < LONG) return text;
  try {
    const backup: unknown = JSON.parse(text);
    if (typeof backup !== "object" || backup === null || !("notifications" in backup)) return text;
    const { notifications } = backup;
    return JSON.stringify({ ...backup, notifications: Array.isArray(notifications) ? notifications.length : 0 });
  } catch {
    // No JSON: the resident says what is wrong with it.
    return text;
  }
}
