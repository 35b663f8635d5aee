// The policy of the fake resident: small, but it inherits, holds, folds and explains as the real one says it does.

import type { AccountView } from "../bindings/AccountView";
import type { Back } from "../bindings/Back";
import type { CardView } from "../bindings/CardView";
import type { Cell } from "../bindings/Cell";
import type { GridRow } from "../bindings/GridRow";
import type { HeldView } from "../bindings/HeldView";
import type { Inherited } from "../bindings/Inherited";
import type { LedgerEntry } from "../bindings/LedgerEntry";
import type { LedgerLineOf } from "../bindings/LedgerLineOf";
import type { Origin } from "../bindings/Origin";
import type { Outcomes } from "../bindings/Outcomes";
import type { Preferences } from "../bindings/Preferences";
import type { PreferencesRow } from "../bindings/PreferencesRow";
import type { PreferencesView } from "../bindings/PreferencesView";
import type { ProblemView } from "../bindings/ProblemView";
import type { QuietNext } from "../bindings/QuietNext";
import type { QuietView } from "../bindings/QuietView";
import type { Row } from "../bindings/Row";
import type { Simulation } from "../bindings/Simulation";
import type { Sound } from "../bindings/Sound";
import type { SoundsView } from "../bindings/SoundsView";
import type { Tier } from "../bindings/Tier";
import type { TypeView } from "../bindings/TypeView";
import type { UserRule } from "../bindings/UserRule";
import { endOf, holds, isAbout, isEmpty, isSame, type Key } from "../policy/cells";
import { defaultPreferences } from "../policy/defaults";
import { nextQuiet, quietAt } from "../policy/week";
import { civil, knowsZone } from "../policy/zone";
import { LEDGER } from "./fake-data";
import { history, TYPES, type FakeNote } from "./fake-history";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The most differences that a simulation lists. */
const LISTED = 200;

const iso = (time: number) => new Date(time).toISOString();

/** What was decided about a note: a word for counting and words for reading. */
type Verdict = { is: "toast" | "digest" | "held" | "silent"; says: string; until: number };

export const isMissing = (sound: Sound) => sound.play === "file" && sound.path.includes("missing");

export class FakePolicy {
  document: Preferences = defaultPreferences();
  cards: CardView[] = [];
  /** When what was snoozed comes back, by notification. */
  readonly snoozed = new Map<number, Back>();
  /** Types that an administrator wants to be told of, and why. */
  readonly mandates = new Map<string, string>([["backup.failed", "Mandatory: backups are watched by the administrators of this computer."]]);
  readonly #now: () => number;
  readonly #accounts: () => AccountView[];
  readonly #rows: () => Row[];

  constructor(now: () => number, accounts: () => AccountView[], rows: () => Row[]) {
    this.#now = now;
    this.#accounts = accounts;
    this.#rows = rows;
  }

  /** Somebody has used Tidings for a while. */
  lived(): void {
    const now = this.#now();
    this.document = {
      ...this.document,
      rows: [
        { account: 1, badge: "on", privacy: "title_only" },
        { account: 1, subscription: 2, kind: "motion", toast: "digest" },
        { account: 2, subscription: 4, sound: { play: "named", name: "complete" } },
        { account: 2, subscription: 5, mute: true, until: iso(now + 3 * DAY) },
      ],
      rules: [
        { name: "Nightly noise", kind: { how: "glob", text: "backup.*", case: false }, then: { what: "toast", toast: "digest" } },
        { name: "On call", text: { how: "regex", text: "(prod|database", case: false }, tags: ["oncall"], then: { what: "tier", tier: "critical" } },
      ],
      quiet: {
        zone: "",
        schedules: [
          { name: "Night", days: ["mon", "tue", "wed", "thu", "sun"], from: "22:00", to: "07:00", lets_through: "critical" },
          { name: "Weekend", days: ["fri", "sat"], from: "23:30", to: "09:30", lets_through: "critical" },
          { name: "Focus", days: ["tue", "thu"], from: "14:00", to: "16:00", lets_through: "important" },
        ],
      },
    };
    this.cards = [
      { card: "storm", account: 1, subscription: 2, name: "Door bell", since: iso(now - 6 * 60_000) },
      { card: "new_type", account: 2, subscription: 4, name: "Builds", kind: "build.flaky", toast: "on", first: 59 },
    ];
  }

  view(): PreferencesView {
    return { preferences: this.document, problems: problems(this.document) };
  }

  /** Sets the row about the same until the same time. Answers whether it could. */
  cellSet(row: PreferencesRow): boolean {
    const now = this.#now();
    if (!holds(row, now) && !isEmpty(row)) return false;
    const key: Key = { account: row.account, subscription: row.subscription ?? null, kind: row.kind ?? null };
    const rows = this.document.rows.filter((one) => holds(one, now) && !isSame(one, row));
    this.document = { ...this.document, rows: isEmpty(row) ? rows : [...rows, row] };
    this.cards = this.cards.filter((card) => card.card === "storm" || card.subscription !== key.subscription || card.kind !== key.kind);
    return true;
  }

  /** Answers whether there was anything to skip. */
  skip(): boolean {
    const now = this.#now();
    const window = quietAt(this.document.quiet, now) ?? nextQuiet(this.document.quiet, now);
    if (!window) return false;
    const schedules = this.document.quiet.schedules.map((one) => (one === window.schedule ? { ...one, skip: window.date } : one));
    this.document = { ...this.document, quiet: { ...this.document.quiet, schedules } };
    return true;
  }

  /** A row of a list, which says when it comes back. */
  withBack(row: Row): Row {
    return { ...row, back: this.snoozed.get(row.id) ?? null };
  }

  quiet(): QuietView | null {
    const window = quietAt(this.document.quiet, this.#now());
    return window && { name: window.schedule.name, until: iso(window.to) };
  }

  nextQuiet(): QuietNext | null {
    const window = this.quiet() ? null : nextQuiet(this.document.quiet, this.#now());
    return window && { name: window.schedule.name, from: iso(window.from) };
  }

  held(waiting: number, pausedUntil: string | null | undefined): HeldView[] {
    const held: HeldView[] = [];
    const quiet = this.quiet();
    if (pausedUntil !== undefined) held.push({ cause: "pause", says: "Pause", count: waiting, until: pausedUntil, can_deliver: true });
    if (quiet && waiting > 0) held.push({ cause: "quiet", says: quiet.name === "" ? "Quiet hours" : `Quiet hours “${quiet.name}”`, count: waiting, until: quiet.until, can_deliver: true });
    const times = [...this.snoozed.values()].flatMap((back) => (back.at === "time" ? [back.time] : [])).sort();
    if (this.snoozed.size > 0) held.push({ cause: "snooze", says: "Snoozed", count: this.snoozed.size, until: times[0] ?? null, can_deliver: false });
    return held;
  }

  /** Files whose path says that they are missing cannot be played. */
  sounds(): SoundsView {
    const { sounds, tiers } = this.document;
    const places: [string, Sound | undefined][] = [["sounds.sound", sounds.sound], ...Object.entries(tiers).map(([tier, cell]): [string, Sound | undefined] => [`tiers.${tier}.sound`, cell?.sound])];
    const wrong = places.flatMap(([at, sound]) => (sound?.play === "file" && isMissing(sound) ? [{ at, says: `${sound.path}: this cannot be read (no such file). The default sound is played instead.` }] : []));
    return { says: "Sounds of the desktop at 100 % are played by the desktop itself; files, and what is softer, by pw-play.", volume: true, problems: wrong };
  }

  types(): TypeView[] {
    const now = this.#now();
    return TYPES.filter((type) => this.#has(type.subscription)).map((type) => ({
      account: type.account,
      subscription: type.subscription,
      kind: type.kind,
      first_at: iso(now - 60 * DAY),
      last_at: iso(now - HOUR),
      came: type.weekly * 8,
      opened: type.opened,
      advice: type.opened === 0 && type.weekly > 10 ? "never_opened" : null,
    }));
  }

  #has(subscription: number): boolean {
    return this.#accounts().some((account) => account.subscriptions.some((one) => one.id === subscription));
  }

  // ---- the grid

  /** What says something about a cell, nearest first. */
  #levels(document: Preferences, key: Key, tier: Tier): [Cell, Origin, string | null][] {
    const now = this.#now();
    const keys: [Key, Origin][] = [[key, "here"]];
    if (key.kind !== null) keys.push([{ ...key, kind: null }, "subscription"]);
    if (key.subscription !== null) keys.push([{ account: key.account, subscription: null, kind: null }, "account"]);
    return [
      ...keys.flatMap(([at, origin]) =>
        document.rows
          .filter((row) => isAbout(row, at) && holds(row, now))
          .sort((a, b) => endOf(a) - endOf(b))
          .map((row): [Cell, Origin, string | null] => [row, origin, row.until ?? null]),
      ),
      [document.tiers[tier], "tier", null],
    ];
  }

  #cell<N extends keyof Cell, V extends NonNullable<Cell[N]>>(document: Preferences, key: Key, tier: Tier, name: N, fallback: V): Inherited<V> {
    for (const [cell, from, until] of this.#levels(document, key, tier)) {
      if (cell[name] !== undefined) return { value: cell[name] as V, from, until };
    }
    return { value: fallback, from: "default", until: null };
  }

  grid(): GridRow[] {
    const row = (key: Key, name: string, rest: Partial<GridRow>): GridRow => {
      const document = this.document;
      const cell = <N extends keyof Cell, V extends NonNullable<Cell[N]>>(of: N, fallback: V) => this.#cell(document, key, "important", of, fallback);
      const mandatory = cell("mandatory", false as boolean);
      const why = this.mandates.get(key.kind ?? "") ?? (mandatory.value ? "Mandatory: you said so." : null);
      return {
        account: key.account,
        subscription: key.subscription,
        kind: key.kind,
        name,
        unread: 0,
        came: 0,
        opened: 0,
        toast: cell("toast", "on" as "on" | "digest" | "off"),
        mute: cell("mute", false as boolean),
        sound: cell("sound", document.sounds.sound),
        badge: cell("badge", "on" as "on" | "off"),
        privacy: cell("privacy", "full" as "full" | "title_only" | "count_only"),
        batch: cell("batch", { how: "off" } as NonNullable<Cell["batch"]>),
        min_tier: cell("min_tier", "informational" as Tier),
        locked: why,
        advice: null,
        ...rest,
      };
    };
    const types = this.types();
    return this.#accounts().flatMap((account) => [
      row({ account: account.id, subscription: null, kind: null }, account.name, {}),
      ...account.subscriptions.flatMap((subscription) => {
        const key = { account: account.id, subscription: subscription.id, kind: null };
        const of = types.filter((type) => type.subscription === subscription.id);
        const unread = this.#rows().filter((one) => one.subscription === subscription.id && !one.read && !one.done).length;
        const silent = of.length === 0 && !this.#rows().some((one) => one.subscription === subscription.id);
        return [
          row(key, subscription.name, { unread, advice: silent ? "silent" : null }),
          ...of.map(({ kind, came, opened, advice }) =>
            row({ ...key, kind }, kind, { came, opened, advice: this.#cell(this.document, { ...key, kind }, "important", "toast", "on").value === "on" ? advice : null }),
          ),
        ];
      }),
    ]);
  }

  // ---- deciding

  decide(document: Preferences, note: FakeNote, recent: number): Verdict {
    const { type, at } = note;
    const key: Key = { account: type.account, subscription: type.subscription, kind: type.kind };
    const rule = document.rules.find((one) => !one.off && matches(one, note));
    const tier = rule?.then.what === "tier" ? rule.then.tier : this.#cell(document, key, type.tier, "tier", type.tier).value;
    const named = rule ? ` by the rule “${rule.name}”` : "";
    const mandatory = this.mandates.has(type.kind) || rule?.then.what === "mandatory" || this.#cell(document, key, tier, "mandatory", false as boolean).value;
    const toast = rule?.then.what === "toast" ? rule.then.toast : this.#cell(document, key, tier, "toast", "on" as "on" | "digest" | "off").value;
    const until = at + document.digest.seconds * 1000;
    if (!mandatory) {
      if (rule?.then.what === "mute" || this.#cell(document, key, tier, "mute", false as boolean).value) return { is: "silent", says: `Inbox only: muted${named}`, until: at };
      if (toast === "off") return { is: "silent", says: `Inbox only: toasts are off${named}`, until: at };
    }
    const window = quietAt(document.quiet, at);
    const passes = window?.schedule.lets_through ?? null;
    const order: Tier[] = ["informational", "important", "critical"];
    if (window && (passes === null || order.indexOf(tier) < order.indexOf(passes))) {
      return { is: "held", says: `Waits for the end of quiet hours${window.schedule.name ? ` “${window.schedule.name}”` : ""}`, until: window.to };
    }
    if (!mandatory && toast === "digest") return { is: "digest", says: `In a digest${named}`, until };
    const batch = this.#cell(document, key, tier, "batch", { how: "off" } as NonNullable<Cell["batch"]>).value;
    if (tier !== "critical" && batch.how !== "off") return { is: "digest", says: "In one toast with others of its type", until: at + (batch.how === "daily" ? DAY : batch.seconds * 1000) };
    if (tier !== "critical" && recent >= document.limits.subscription) return { is: "digest", says: "In a digest: too many at once", until: at + document.limits.fold_seconds * 1000 };
    return { is: "toast", says: "Toast at once", until: at };
  }

  #outcomes(document: Preferences, notes: FakeNote[], from: number, days: number): { outcomes: Outcomes; verdicts: Verdict[] } {
    const outcomes: Outcomes = { toasts: 0, digests: 0, held: 0, silent: 0, hours: new Array<number>(days * 24 + 24).fill(0) };
    const open = new Map<string, number>();
    const shown = new Map<number, number[]>();
    const count = (at: number) => {
      const hour = Math.floor((at - from) / HOUR);
      if (hour >= 0 && hour < outcomes.hours.length) outcomes.hours[hour] = (outcomes.hours[hour] ?? 0) + 1;
    };
    const verdicts = notes.map((note) => {
      const minute = (shown.get(note.type.subscription) ?? []).filter((at) => note.at - at < 60_000);
      const verdict = this.decide(document, note, minute.length);
      if (verdict.is === "silent") outcomes.silent += 1;
      else if (verdict.is === "toast") {
        outcomes.toasts += 1;
        count(note.at);
        shown.set(note.type.subscription, [...minute, note.at]);
      } else {
        if (verdict.is === "held") outcomes.held += 1;
        const group = verdict.is === "held" ? `held ${verdict.until}` : `digest ${note.type.subscription}`;
        if ((open.get(group) ?? 0) <= note.at) {
          open.set(group, verdict.until);
          outcomes.digests += 1;
          count(verdict.until);
        }
      }
      return verdict;
    });
    return { outcomes, verdicts };
  }

  simulate(others: Preferences | null, days: number): Simulation {
    const end = this.#now();
    const notes = history(end, days).filter((note) => this.#has(note.type.subscription));
    const first = civil(end - (days - 1) * DAY, "");
    const from = end - (days - 1) * DAY - first.minutes * 60_000 - (end % 60_000);
    const now = this.#outcomes(this.document, notes, from, days);
    const then = others ? this.#outcomes(others, notes, from, days) : now;
    const different = notes.flatMap((note, index) => {
      const [present, other] = [now.verdicts[index], then.verdicts[index]];
      if (!present || !other || present.says === other.says) return [];
      return [{ id: note.id, title: note.title, source: this.#sourceOf(note), at: iso(note.at), now: present.says, then: other.says }];
    });
    return {
      days,
      from: iso(from),
      notifications: notes.length,
      now: now.outcomes,
      then: then.outcomes,
      differences: different.reverse().slice(0, LISTED),
      different: different.length,
      problems: others ? problems(others) : [],
    };
  }

  #sourceOf(note: FakeNote): string {
    const account = this.#accounts().find((one) => one.id === note.type.account);
    return account?.subscriptions.find((one) => one.id === note.type.subscription)?.name ?? account?.name ?? "";
  }

  /** Puts a card away: of a type, or of a storm. */
  dismiss(subscription: number, kind: string | null): void {
    this.cards = this.cards.filter((card) => card.subscription !== subscription || (card.card === "storm" ? null : card.kind) !== kind);
  }

  /** The decisions of some time, oldest first. */
  ledgers(from: string, after: number, limit: number): LedgerLineOf[] {
    const rows = this.#rows().filter((row) => row.created_at >= from && row.id > after);
    rows.sort((a, b) => a.id - b.id);
    return rows.slice(0, limit).flatMap((row) => {
      const entry = this.ledger(row).at(-1);
      return entry ? [{ number: row.id, id: row.id, title: row.title, source: row.subscription_name, entry }] : [];
    });
  }

  /** The ledger of a row, by the preferences of now. */
  ledger(row: Row): LedgerEntry[] {
    const sample = LEDGER(this.#now());
    const back = this.snoozed.get(row.id);
    if (!back) return sample;
    const until = back.at === "time" ? `until ${back.time}` : back.at === "unlock" ? "until the session is unlocked" : "until its server is connected again";
    const lines = [{ rule: "Snooze", decided: true, says: "You put it off." }];
    return [...sample, { at: iso(this.#now()), verdict: `Snoozed ${until}`, progress: "Waits", lines }];
  }
}

function matches(rule: UserRule, { type, title }: FakeNote): boolean {
  const like = (pattern: UserRule["text"], text: string) => {
    if (!pattern) return true;
    const flags = pattern.case ? "u" : "iu";
    const plain = pattern.text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    try {
      if (pattern.how === "regex") return new RegExp(pattern.text, flags).test(text);
      if (pattern.how === "glob") return new RegExp(`^${plain.replaceAll("\\*", ".*").replaceAll("\\?", ".")}$`, flags).test(text);
      return new RegExp(plain, flags).test(text);
    } catch {
      return false;
    }
  };
  return (
    (rule.account === undefined || rule.account === type.account) &&
    (rule.subscription === undefined || rule.subscription === type.subscription) &&
    (rule.tags ?? []).length === 0 &&
    like(rule.kind, type.kind) &&
    like(rule.text, title)
  );
}

/** What does not work in a document. */
export function problems(document: Preferences): ProblemView[] {
  const found: ProblemView[] = [];
  if (!knowsZone(document.quiet.zone)) {
    found.push({ at: "quiet.zone", says: `No time zone is called “${document.quiet.zone}”. Quiet hours go by this computer's own zone.` });
  }
  document.rules.forEach((rule, index) => {
    for (const field of ["kind", "text"] as const) {
      const pattern = rule[field];
      if (rule.off || pattern?.how !== "regex") continue;
      try {
        new RegExp(pattern.text, "u");
      } catch {
        found.push({ at: `rules[${index}].${field}`, says: "This rule is left out: the regular expression is not complete. Close what was opened." });
      }
    }
  });
  return found;
}
