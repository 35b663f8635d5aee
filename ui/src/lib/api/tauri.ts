// The real way to the resident, over the bridge of the window's process.

import { convertFileSrc, invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { Event } from "../bindings/Event";
import type { Reply } from "../bindings/Reply";
import type { Api, Opening } from "./index";

/** The bridge's commands and events. */
export function tauri(): Api {
  return {
    call: (request) => invoke<Reply>("call", { request }),
    onHint: async (listener) => {
      await listen<Event>("hint", ({ payload }) => listener(payload));
    },
    onLink: async (listener) => {
      await listen<{ up: boolean }>("link", ({ payload }) => listener(payload.up));
    },
    opening: () => invoke<Opening>("opening"),
    // How each system spells the address of a scheme: Windows has it as a host.
    picture: (of, id, asked) => convertFileSrc(`${of}-${id}${asked ? "-asked" : ""}`, "tidings-image"),
    painted: () => invoke("painted"),
  };
}
