// How a server is reached where that is not as everywhere.

import type { Way } from "../bindings/Way";

/** As everywhere. */
export const USUAL_WAY: Way = { proxy: "", authorities: "", pin: "", certificate: "" };

/** Whether anything differs from everywhere. */
export const isUsual = (way: Way): boolean => Object.values(way).every((part) => part === "");

/** A fingerprint as people compare it: pairs with colons. */
export const fingerprint = (hex: string): string => (hex.match(/../g) ?? []).join(":").toUpperCase();
