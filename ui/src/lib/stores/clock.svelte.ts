// The present, ticking slowly, and fast only while something counts down.

/** The present for everything on screen. */
export class Clock {
  now = $state(Date.now());
  #timer: ReturnType<typeof setInterval> | undefined;
  #every = 0;

  /** Ticks every so many milliseconds from now on. */
  tick(every: number): void {
    if (every === this.#every) return;
    this.#every = every;
    clearInterval(this.#timer);
    this.now = Date.now();
    this.#timer = setInterval(() => (this.now = Date.now()), every);
  }
}

export const clock = new Clock();
