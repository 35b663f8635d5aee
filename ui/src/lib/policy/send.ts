// Planned changes of cells on their way to the resident.

import type { Client } from "../api";
import type { PreferencesView } from "../bindings/PreferencesView";
import type { Plan } from "./cells";

/** Tells the resident about cells; answers what it made of them, if there was anything to tell. */
export async function send(client: Client, { rows }: Plan): Promise<PreferencesView | null> {
  let view: PreferencesView | null = null;
  for (const row of rows) view = await client.cellSet(row);
  return view;
}
