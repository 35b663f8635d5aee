// The preferences as they are for everybody who changed nothing, as the contract describes them.

import type { Preferences } from "../bindings/Preferences";
import type { Tier } from "../bindings/Tier";

/** Tiers, least attention first. */
export const TIERS: readonly Tier[] = ["informational", "important", "critical"];

/** The tiers of priorities 1 to 5 where nobody says otherwise. */
export const TIER_TABLE: [Tier, Tier, Tier, Tier, Tier] = ["informational", "informational", "important", "important", "critical"];

export function defaultPreferences(): Preferences {
  const held = { others: "hold", critical: "hide" } as const;
  return {
    version: 1,
    tiers: { critical: { toast: "on" }, important: { toast: "on" }, informational: { toast: "digest" } },
    rows: [],
    rules: [],
    mapping: [],
    quiet: { zone: "", schedules: [] },
    digest: { seconds: 300 },
    limits: { subscription: 5, overall: 12, critical: 20, fold_seconds: 2, storm_seconds: 300 },
    duplicates: { seconds: 600 },
    away: { after_seconds: 120, few: 3, critical_hours: 24, critical_singly: 5 },
    escalation: { seconds: 600, times: 3 },
    context: {
      ring_while_looking: false,
      locked: { others: "hide", critical: "hide" },
      presenting: held,
      full_screen: held,
      screen_shared: held,
      do_not_disturb: { others: "nothing", critical: "hold" },
      hidden: "count_only",
    },
    sounds: { on: true, volume: 100, from_priority: 4, sound: { play: "default" } },
  };
}
