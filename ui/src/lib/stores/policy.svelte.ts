// The preferences as the settings show and change them: at once on screen, one change after the other to the
// resident, each with its way back.

import { words } from "../../messages/en";
import { errorView, type Client } from "../api";
import type { AccountView } from "../bindings/AccountView";
import type { Cell } from "../bindings/Cell";
import type { ErrorView } from "../bindings/ErrorView";
import type { GridRow } from "../bindings/GridRow";
import type { Preferences } from "../bindings/Preferences";
import type { PreferencesView } from "../bindings/PreferencesView";
import type { ProblemView } from "../bindings/ProblemView";
import { plan, taken, withRow, type CellName, type Key } from "../policy/cells";
import { send } from "../policy/send";
import { coalesced } from "./once";
import type { Session } from "./session.svelte";
import { Simulator, type Later } from "./simulator.svelte";

/** Hints that come in bursts are answered once in so many milliseconds. */
const SOON = 60;

/** A change that can be taken back. */
type Step = { says: string; back: () => Promise<void>; together: boolean };

/** The preferences of one settings window. */
export class Policy {
  readonly #session: Session;
  readonly #client: Client;
  readonly simulator: Simulator;

  view = $state.raw<PreferencesView | null>(null);
  grid = $state.raw<GridRow[]>([]);
  /** The preferences that the simulator compares with. */
  before = $state.raw<Preferences | null>(null);
  /** Since when it does, milliseconds. */
  since = $state(0);
  /** Why nothing could be read. */
  unread = $state.raw<ErrorView | null>(null);
  /** Why the last change could not be kept. */
  failure = $state.raw<ErrorView | null>(null);
  /** What was just done. */
  says = $state("");
  /** The way back, the latest at the end. */
  #steps = $state.raw<Step[]>([]);
  #changes: Promise<unknown> = Promise.resolve();
  /** Changes that the resident has not answered yet. */
  #owed = 0;
  /** What the resident said last, without what it has not answered yet. */
  #kept: PreferencesView | null = null;
  /** Pages on screen that show the preferences. */
  #shown = 0;
  readonly #reread: () => void;

  constructor(session: Session, later?: Later) {
    this.#session = session;
    this.#client = session.client;
    this.simulator = new Simulator(session.client, later);
    this.#reread = coalesced(async () => {
      if (this.#owed === 0 && this.#shown > 0 && this.view) await this.#read(true).catch(() => undefined);
    }, SOON);
    session.onHint((event) => {
      if (event.event === "preferences" || event.event === "accounts" || event.event === "resync") this.#reread();
    });
    session.onReturn(() => this.#reread());
  }

  get document(): Preferences | null {
    return this.view?.preferences ?? null;
  }

  get problems(): ProblemView[] {
    return this.view?.problems ?? [];
  }

  get undoable(): boolean {
    return this.#steps.length > 0;
  }

  /** What is wrong at a place of the document or in it. */
  problemsAt(place: string): ProblemView[] {
    return this.problems.filter(({ at }) => at === place || at.startsWith(`${place}.`) || at.startsWith(`${place}[`));
  }

  /** A page is on screen. */
  enter(): Promise<void> {
    this.#shown += 1;
    return this.load();
  }

  /** A page is gone. */
  exit(): void {
    this.#shown -= 1;
    // It would cover what the next page says; the way back is there all the same.
    this.says = "";
    if (this.#shown === 0) this.simulator.stop();
  }

  /** Reads everything; from here on the simulator compares. */
  async load(): Promise<void> {
    try {
      await this.#read();
      this.unread = null;
      if (this.before === null) this.compareFromHere();
      else this.#simulate();
    } catch (thrown) {
      this.unread = errorView(thrown);
    }
  }

  async #read(byOthers = false): Promise<void> {
    const [view, grid] = await Promise.all([this.#client.preferences(), this.#client.grid()]);
    if (byOthers && this.#owed > 0) return;
    const changed = JSON.stringify(view.preferences) !== JSON.stringify(this.document);
    // A way back would take back what somebody else changed since.
    if (byOthers && changed) this.#steps = [];
    this.view = view;
    this.#kept = view;
    this.grid = grid;
    if (changed && this.before !== null) this.#simulate();
  }

  /** The simulator compares with what holds now. */
  compareFromHere(): void {
    this.before = this.document;
    this.since = Date.now();
    this.#simulate();
  }

  #simulate(): void {
    const same = JSON.stringify(this.before) === JSON.stringify(this.document);
    this.simulator.compare(same ? null : this.before);
  }

  // ---- changes

  /**
   * Changes the document. Answers what went wrong, of which nothing is left on screen. Changes that are
   * `together` and say the same, one after the other, are taken back as one.
   */
  change(says: string, edit: (draft: Preferences) => void, together = false): Promise<ErrorView | null> {
    const edited = (document: Preferences) => {
      const draft = structuredClone(document);
      edit(draft);
      return { after: draft, send: () => this.#client.preferencesSet(draft) };
    };
    return this.#do(says, edited, together);
  }

  /** Sets cells of a row of the grid, for good or until a time; what is undefined inherits again. */
  setCells(says: string, key: Key, cells: Cell, until: string | null = null): Promise<ErrorView | null> {
    return this.#do(says, (document) => {
      const planned = plan(document, key, cells, until, Date.now());
      return { after: planned.after, send: () => send(this.#client, planned) };
    });
  }

  /** Takes back what a row of the grid says about a cell until this time, or for good. */
  takeBack(says: string, key: Key, name: CellName, until: string | null): Promise<ErrorView | null> {
    return this.#do(says, (document) => {
      const planned = taken(document, key, name, until, Date.now());
      return { after: planned.after, send: () => send(this.#client, planned) };
    });
  }

  /** The quiet hours in force, or the next of today, do not hold. */
  skipTonight(): Promise<ErrorView | null> {
    return this.#do(words.policy.quiet.skipped, (document) => ({
      after: document,
      send: async () => {
        this.#session.status = await this.#client.quietSkip();
        return this.#client.preferences();
      },
    }));
  }

  /** Leaves a topic; the way back listens to it again, with what was set for it. */
  leave(account: AccountView, subscription: number): Promise<ErrorView | null> {
    const topic = account.subscriptions.find((one) => one.id === subscription)?.topic ?? "";
    return this.#run(async () => {
      const before = await this.#client.preferences();
      await this.#client.subscriptionRemove(subscription, false);
      await Promise.all([this.#read(), this.#session.readAccounts()]);
      this.#keep(words.policy.left(topic), async () => {
        const again = await this.#client.subscriptionAdd(account.id, topic);
        const fresh = again.subscriptions.find((one) => one.topic === topic)?.id;
        const now = await this.#client.preferences();
        const rows = before.preferences.rows
          .filter((row) => row.subscription === subscription)
          .map((row) => ({ ...row, ...(fresh === undefined ? {} : { subscription: fresh }) }));
        await this.#client.preferencesSet(rows.reduce(withRow, now.preferences));
        await this.#session.readAccounts();
      });
    });
  }

  /** Takes back the last change. */
  undo(): Promise<ErrorView | null> {
    const step = this.#steps.at(-1);
    if (!step) return Promise.resolve(null);
    this.#steps = this.#steps.slice(0, -1);
    return this.#run(async () => {
      await step.back();
      await this.#read();
      this.says = words.policy.undone(step.says);
    });
  }

  #keep(says: string, back: () => Promise<void>, together = false): void {
    const last = this.#steps.at(-1);
    // The way back of the first of them goes past all.
    const joins = together && last !== undefined && last.together && last.says === says;
    if (!joins) this.#steps = [...this.#steps, { says, back, together }];
    this.says = says;
  }

  #do(
    says: string,
    planned: (document: Preferences) => { after: Preferences; send: () => Promise<PreferencesView | null> },
    together = false,
  ): Promise<ErrorView | null> {
    const before = this.view;
    if (!before) return Promise.resolve(null);
    this.view = { ...before, preferences: planned(before.preferences).after };
    return this.#run(async () => {
      // Made anew of what is kept: a change before this one may have failed.
      const kept = (this.#kept ?? before).preferences;
      const answer = await planned(kept).send();
      if (answer) this.#kept = answer;
      // What was changed meanwhile is on its way, and stays on screen.
      if (answer && this.#owed === 1) this.view = answer;
      this.grid = await this.#client.grid();
      const back = async () => {
        this.#kept = this.view = await this.#client.preferencesSet(kept);
      };
      this.#keep(says, back, together);
      this.#simulate();
    });
  }

  /** One after the other. What fails is read again, so that the screen shows what is kept. */
  #run(action: () => Promise<void>): Promise<ErrorView | null> {
    this.#owed += 1;
    const done = this.#changes.then(async () => {
      try {
        await action();
        this.failure = null;
        return null;
      } catch (thrown) {
        this.failure = errorView(thrown);
        this.says = "";
        await this.#read().catch(() => undefined);
        return this.failure;
      } finally {
        this.#owed -= 1;
      }
    });
    this.#changes = done;
    return done;
  }
}
