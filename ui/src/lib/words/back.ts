// What was put off, and when it comes back.

import { words } from "../../messages/en";
import type { Back } from "../bindings/Back";
import { clockTime } from "./time";

/** When something that was put off comes back. */
export function backAt(back: Back, now: number): string {
  switch (back.at) {
    case "time":
      return words.policy.snooze.back(clockTime(back.time, now));
    case "unlock":
      return words.policy.snooze.backUnlock;
    case "online":
      return words.policy.snooze.backOnline;
  }
}
