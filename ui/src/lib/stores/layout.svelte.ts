// How many panes the window has room for.

import { MediaQuery } from "svelte/reactivity";

/** From here on list and detail stand side by side (px). */
const TWO = 680;
/** From here on the places stand beside them (px). */
const THREE = 960;

const two = new MediaQuery(`min-width: ${TWO}px`);
const three = new MediaQuery(`min-width: ${THREE}px`);

/** The panes that fit. */
export const layout = {
  get panes(): 1 | 2 | 3 {
    if (three.current) return 3;
    return two.current ? 2 : 1;
  },
};
