// What changed preferences would have done in the last days. Asked when changing rests; of several answers
// only the one to the latest question counts.

import { errorView, type Client } from "../api";
import type { ErrorView } from "../bindings/ErrorView";
import type { Preferences } from "../bindings/Preferences";
import type { Simulation } from "../bindings/Simulation";

/** Runs something after so many milliseconds; answers how to call it off. */
export type Later = (run: () => void, milliseconds: number) => () => void;

export const afterAWhile: Later = (run, milliseconds) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

/** Changing rests when nothing was changed for so long, milliseconds. */
const REST = 300;

/** One week. */
export const DAYS = 7;

export class Simulator {
  readonly #client: Client;
  readonly #later: Later;
  #callOff: (() => void) | null = null;
  #asked = 0;

  /** An answer is under way, or about to be asked for. */
  busy = $state(false);
  /** The latest answer: `then` is what the other preferences would have done. */
  result = $state.raw<Simulation | null>(null);
  failure = $state.raw<ErrorView | null>(null);

  constructor(client: Client, later: Later = afterAWhile) {
    this.#client = client;
    this.#later = later;
  }

  /** Compares the present preferences with others, when changing rests. */
  compare(others: Preferences | null): void {
    this.#callOff?.();
    this.#asked += 1;
    this.busy = true;
    this.#callOff = this.#later(() => void this.#ask(others), REST);
  }

  async #ask(others: Preferences | null): Promise<void> {
    this.#callOff = null;
    const question = this.#asked;
    try {
      const result = await this.#client.simulate(others, DAYS);
      if (question !== this.#asked) return;
      this.result = result;
      this.failure = null;
    } catch (thrown) {
      if (question !== this.#asked) return;
      this.failure = errorView(thrown);
    }
    this.busy = false;
  }

  /** Nobody looks any more. */
  stop(): void {
    this.#callOff?.();
    this.#callOff = null;
    this.#asked += 1;
    this.busy = false;
  }
}
