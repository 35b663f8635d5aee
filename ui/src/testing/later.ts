// Time that a test lets pass.

import type { Later } from "../lib/stores/simulator.svelte";

export type Hourglass = {
  later: Later;
  /** All that waits and was not called off happens now. Answers how much. */
  pass: () => number;
};

export function hourglass(): Hourglass {
  let waiting: (() => void)[] = [];
  return {
    later: (run) => {
      const one = () => run();
      waiting.push(one);
      return () => (waiting = waiting.filter((other) => other !== one));
    },
    pass: () => {
      const due = waiting;
      waiting = [];
      for (const run of due) run();
      return due.length;
    },
  };
}
