// The two live regions: arrivals in batches, politely; critical ones at once.

import { words } from "../../messages/en";
import type { Row } from "../bindings/Row";

/** Arrivals within so many milliseconds are one sentence. */
const BATCH = 1000;

/** What is read aloud. */
export class Announcer {
  polite = $state("");
  assertive = $state("");
  #waiting = { all: 0, important: 0 };
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Says something when there is time for it. */
  say(text: string): void {
    // A region that is given the same text again says nothing.
    this.polite = this.polite === text ? `${text}\u00a0` : text;
  }

  /** Counts arrivals, and says a critical one at once. */
  arrived(rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const critical = rows.filter((row) => row.tier === "critical");
    const first = critical[0];
    if (first) {
      const text = words.announce.critical(first.title, first.subscription_name, critical.length);
      this.assertive = this.assertive === text ? `${text}\u00a0` : text;
    }
    this.#waiting.all += rows.length;
    this.#waiting.important += rows.filter((row) => row.tier !== "informational").length;
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#flush(), BATCH);
  }

  #flush(): void {
    this.#timer = undefined;
    this.say(words.announce.arrived(this.#waiting.all, this.#waiting.important));
    this.#waiting = { all: 0, important: 0 };
  }
}
