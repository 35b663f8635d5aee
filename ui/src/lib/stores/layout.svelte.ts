// How many panes the window has room for.

import { MediaQuery } from "svelte/reactivity";

/** From here on list and detail stand side by side (em, so that large text counts). */
const TWO = 42.5;
/** From here on the places stand beside them (em). */
const THREE = 60;

const two = new MediaQuery(`min-width: ${TWO}em`);
const three = new MediaQuery(`min-width: ${THREE}em`);

/** The panes that fit. */
export const layout = {
  get panes(): 1 | 2 | 3 {
    if (three.current) return 3;
    return two.current ? 2 : 1;
  },
};
