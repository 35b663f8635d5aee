// A believable week for the fake resident: which types came, how often, when, how many were opened.

import type { Tier } from "../bindings/Tier";

const HOUR = 3_600_000;

/** A type of a subscription. */
export type FakeType = {
  account: number;
  subscription: number;
  kind: string;
  /** How many come in a week. */
  weekly: number;
  /** Of those that ever came, opened. */
  opened: number;
  tier: Tier;
  priority: number;
  title: string;
  /** They come by night too. */
  nights: boolean;
};

const type = (account: number, subscription: number, kind: string, weekly: number, opened: number, tier: Tier, priority: number, title: string, nights = false): FakeType => ({
  account, subscription, kind, weekly, opened, tier, priority, title, nights,
});

export const TYPES: FakeType[] = [
  type(1, 1, "backup.finished", 14, 3, "informational", 2, "Backup finished", true),
  type(1, 1, "backup.failed", 2, 9, "critical", 5, "Backup failed", true),
  type(1, 2, "bell", 12, 40, "important", 4, "Someone is at the door"),
  type(1, 2, "motion", 150, 0, "important", 3, "Motion in the garden", true),
  type(1, 3, "disk", 6, 21, "important", 4, "Disk nearly full", true),
  type(1, 3, "smart", 5, 4, "important", 4, "SMART: pending sectors", true),
  type(2, 4, "build.failed", 21, 60, "important", 4, "Build failed on main"),
  type(2, 4, "build.passed", 122, 2, "informational", 2, "Build passed"),
  type(2, 4, "deploy", 9, 11, "informational", 2, "Deployed to production"),
  type(2, 5, "", 71, 30, "important", 3, "Message in the team chat"),
];

/** A notification of the week. */
export type FakeNote = { id: number; type: FakeType; at: number; title: string };

/** The last days, oldest first; the same for the same end. */
export function history(now: number, days: number): FakeNote[] {
  // A small linear congruential generator: https://en.wikipedia.org/wiki/Linear_congruential_generator
  let seed = 20_261_122;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const notes: FakeNote[] = [];
  for (const type of TYPES) {
    for (let n = 0; n < Math.round((type.weekly * days) / 7); n += 1) {
      let at = now - random() * days * 24 * HOUR;
      if (!type.nights) {
        const hour = new Date(at).getHours();
        if (hour < 8 || hour > 20) at -= 12 * HOUR;
      }
      notes.push({ id: 0, type, at, title: `${type.title}${type.kind.startsWith("build") ? ` #${4000 + n}` : ""}` });
    }
  }
  notes.sort((a, b) => a.at - b.at);
  notes.forEach((note, index) => (note.id = 10_000 + index));
  return notes;
}
