// The list on screen, the notification that is open, and what the user does to them.

import { SvelteSet } from "svelte/reactivity";
import { words } from "../../messages/en";
import { errorView, type Client } from "../api";
import type { Change } from "../bindings/Change";
import type { Changed } from "../bindings/Changed";
import type { Detail } from "../bindings/Detail";
import type { ErrorView } from "../bindings/ErrorView";
import type { Event } from "../bindings/Event";
import type { ListQuery } from "../bindings/ListQuery";
import type { Row } from "../bindings/Row";
import type { Targets } from "../bindings/Targets";
import type { Announcer } from "./announcer.svelte";
import { coalesced } from "./once";
import { append, mergeHead, patch, successor, unknown, type Loaded } from "./paging";
import type { Session } from "./session.svelte";

/** What the list is narrowed to. */
export type Filter = Pick<ListQuery, "place" | "account" | "subscription" | "toast" | "search">;

/** Rows of a page. */
const PAGE = 100;
/** The most rows a page may have. */
const MOST = 500;
/** Nothing is drawn for a list that is there within so many milliseconds. */
const PATIENCE = 200;
/** Changes of a few rows are read one by one, of more as pages. */
const FEW = 8;
/** The resident keeps so many steps that can be undone. */
const STEPS = 50;

/** How a change is made: offered to be undone in the bar, by the keys only, or as a side effect. */
type Manner = "bar" | "keys" | "aside";

/** A change that can be taken back from the bar. */
export type Undoable = { says: string; step: number };

const NOTHING: Loaded = { rows: [], next: null };

/** The inbox of one window. */
export class Inbox {
  readonly #session: Session;
  readonly #client: Client;
  readonly #announcer: Announcer;

  filter = $state.raw<Filter>({ place: "all", account: null, subscription: null, toast: null, search: "" });
  loaded = $state.raw<Loaded>(NOTHING);
  phase = $state<"loading" | "ready" | "failed">("loading");
  /** Loading takes long enough to say so. */
  slow = $state(false);
  error = $state.raw<ErrorView | null>(null);
  /** What is wrong with the search, while the list shows what it showed before. */
  searchProblem = $state("");
  /** When the list was last read. */
  checkedAt = $state<number | null>(null);

  /** Arrivals that are not shown yet, so that nothing moves under the user's eyes. */
  pending = $state.raw<ReadonlySet<number>>(new Set());
  /** Set by the list: new rows would move what the user looks at. */
  holds: () => boolean = () => false;

  /** The row that the keyboard is on. */
  cursor = $state<number | null>(null);
  /** Grows whenever the keyboard focus should go to the cursor's row. */
  focusWanted = $state(0);
  /** Grows whenever the list should show its top. */
  topWanted = $state(0);
  readonly selection = new SvelteSet<number>();
  /** All that the filter finds is selected, loaded or not. */
  allMatching = $state(false);
  #anchor: number | null = null;

  openId = $state<number | null>(null);
  detail = $state.raw<Detail | null>(null);
  detailError = $state.raw<ErrorView | null>(null);

  undoable = $state.raw<Undoable | null>(null);

  #generation = 0;
  #loadingMore = false;
  #sticky = new Set<number>();
  #echo = new Set<number>();
  #touched = new Set<number>();
  #changes: Promise<unknown> = Promise.resolve();
  /** What the user did in this window and can be undone, the latest at the end. */
  #steps: number[] = [];
  #arrivedIds = new Set<number>();
  #readHead: () => void;
  #readTouched: () => void;

  constructor(session: Session, announcer: Announcer) {
    this.#session = session;
    this.#client = session.client;
    this.#announcer = announcer;
    this.#readHead = coalesced(() => this.#quietly(() => this.#mergeArrivals()), 30);
    this.#readTouched = coalesced(() => this.#quietly(() => this.#mergeTouched()), 80);
    session.onHint((event) => this.#hint(event));
    session.onReturn(() => void this.#quietly(() => this.reread(true)));
  }

  get rows(): Row[] {
    return this.loaded.rows;
  }

  get query(): ListQuery {
    return { ...this.filter, before: null, limit: PAGE };
  }

  /** Ids that a command is for: the selection, else the row under the keyboard, else what is open. */
  get subject(): number[] {
    if (this.selection.size > 0) return [...this.selection];
    const one = this.cursor ?? this.openId;
    return one === null ? [] : [one];
  }

  // ---- the list

  /** Shows another list. */
  async show(filter: Partial<Filter>): Promise<void> {
    this.filter = { ...this.filter, ...filter };
    this.clearSelection();
    this.cursor = null;
    await this.load();
    if (this.filter.search !== "" && this.phase === "ready" && this.searchProblem === "") {
      this.#announcer.say(words.search.results(this.rows.length, this.loaded.next !== null));
    }
  }

  /** Shows exactly what a toast told of. */
  showToast(toast: number): Promise<void> {
    this.close();
    return this.show({ place: "all", account: null, subscription: null, search: "", toast });
  }

  /** Reads the list from its top, and shows the top. */
  async load(): Promise<void> {
    const generation = ++this.#generation;
    this.#loadingMore = false;
    this.phase = "loading";
    const slow = setTimeout(() => {
      if (generation === this.#generation && this.phase === "loading") this.slow = true;
    }, PATIENCE);
    try {
      const page = await this.#client.list(this.query);
      if (generation !== this.#generation) return;
      this.#sticky.clear();
      this.pending = new Set();
      this.topWanted += 1;
      this.loaded = { rows: page.rows, next: page.next };
      this.checkedAt = Date.now();
      this.phase = "ready";
      this.error = null;
      this.searchProblem = "";
    } catch (thrown) {
      if (generation !== this.#generation) return;
      const error = errorView(thrown);
      if (error.code === "invalid" && this.filter.search !== "") {
        // Half a term was typed.
        this.searchProblem = error.message;
        this.phase = "ready";
      } else {
        this.error = error;
        this.phase = "failed";
      }
    } finally {
      clearTimeout(slow);
      if (generation === this.#generation) this.slow = false;
    }
  }

  /** Reads the next page, if there is one and none is under way. */
  async more(): Promise<void> {
    const before = this.loaded.next;
    if (before === null || this.#loadingMore || this.phase !== "ready") return;
    const generation = this.#generation;
    this.#loadingMore = true;
    try {
      const page = await this.#client.list({ ...this.query, before });
      if (generation === this.#generation && this.loaded.next === before) {
        this.loaded = append(this.loaded, page);
      }
    } catch (thrown) {
      this.#session.failure = errorView(thrown);
    } finally {
      this.#loadingMore = false;
    }
  }

  /** Reads as much again as is loaded; `hold` keeps what is new out of sight while the list holds. */
  async reread(hold: boolean): Promise<void> {
    const generation = this.#generation;
    const wanted = Math.max(this.rows.length, PAGE);
    let fresh: Loaded = NOTHING;
    do {
      const limit = Math.min(MOST, wanted - fresh.rows.length);
      const page = await this.#client.list({ ...this.query, before: fresh.next, limit });
      if (generation !== this.#generation) return;
      fresh = append(fresh, page);
    } while (fresh.next !== null && fresh.rows.length < wanted);
    if (hold && this.phase === "ready" && this.holds()) {
      this.#hold(unknown(fresh.rows, this.rows));
    }
    const rows = fresh.rows.filter((row) => !this.pending.has(row.id));
    this.#take(mergeHead({ rows: this.rows, next: null }, { ...fresh, rows, next: null }, this.#keeps).rows, fresh.next);
  }

  /** Shows what arrived meanwhile. */
  async release(): Promise<void> {
    await this.load();
  }

  #keeps = (row: Row) => this.#sticky.has(row.id);

  #take(rows: Row[], next: string | null): void {
    this.loaded = { rows, next };
    this.phase = "ready";
    this.error = null;
    this.checkedAt = Date.now();
    if (this.cursor !== null && !rows.some((row) => row.id === this.cursor)) this.cursor = null;
    if (this.selection.size > 0) {
      const there = new Set(rows.map((row) => row.id));
      for (const id of [...this.selection]) if (!there.has(id)) this.selection.delete(id);
    }
  }

  #hold(rows: Row[]): void {
    if (rows.length > 0) this.pending = new Set([...this.pending, ...rows.map((row) => row.id)]);
  }

  async #quietly(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch {
      // What is on screen stays; the link says that the resident is away.
    }
  }

  // ---- hints

  #hint(event: Event): void {
    switch (event.event) {
      case "arrived":
        for (const id of event.ids) this.#arrivedIds.add(id);
        this.#readHead();
        break;
      case "changed": {
        const theirs = event.ids.filter((id) => !this.#echo.delete(id));
        for (const id of theirs) this.#touched.add(id);
        if (theirs.length > 0) this.#readTouched();
        break;
      }
      case "resync":
        void this.#quietly(() => this.reread(true));
        break;
      case "present":
        if (event.target.show === "notification") void this.open(event.target.id);
        if (event.target.show === "toast") void this.showToast(event.target.toast);
        break;
      default:
        break;
    }
  }

  async #mergeArrivals(): Promise<void> {
    const ids = this.#arrivedIds;
    this.#arrivedIds = new Set();
    const generation = this.#generation;
    const limit = Math.min(MOST, Math.max(PAGE, ids.size + 20));
    const page = await this.#client.list({ ...this.query, limit });
    if (generation !== this.#generation || this.phase !== "ready") return;
    const news = unknown(page.rows, this.rows).filter((row) => !this.pending.has(row.id));
    if (this.holds()) this.#hold(news);
    const rows = page.rows.filter((row) => !this.pending.has(row.id));
    if (this.pending.size === 0 || rows.some((row) => this.rows.some((old) => old.id === row.id))) {
      const merged = mergeHead(this.loaded, { rows, next: page.next }, this.#keeps);
      this.#take(merged.rows, merged.next);
    }
    this.#announcer.arrived(news.filter((row) => ids.has(row.id) && !row.read));
    // What was published while a connection was away may belong further down.
    const inPage = new Set(page.rows.map((row) => row.id));
    if (this.rows.length > page.rows.length && [...ids].some((id) => !inPage.has(id))) {
      await this.reread(true);
    }
  }

  async #mergeTouched(): Promise<void> {
    const ids = this.#touched;
    this.#touched = new Set();
    if (this.openId !== null && ids.has(this.openId)) void this.#readDetail(this.openId);
    const known = new Set(this.rows.map((row) => row.id));
    // Which rows these lists have, their rows do not say.
    const asked = this.filter.place === "snoozed" || this.filter.toast !== null;
    if (asked || ids.size > FEW || [...ids].some((id) => !known.has(id) && !this.pending.has(id))) {
      await this.reread(false);
      return;
    }
    const generation = this.#generation;
    const shown = await Promise.allSettled([...ids].map((id) => this.#client.show(id)));
    if (generation !== this.#generation) return;
    const now = new Map<number, Row>();
    for (const one of shown) if (one.status === "fulfilled") now.set(one.value.row.id, one.value.row);
    const rows = this.rows.flatMap((row) => {
      if (!ids.has(row.id)) return [row];
      const fresh = now.get(row.id);
      return fresh && this.#belongs(fresh) ? [fresh] : [];
    });
    this.#take(rows, this.loaded.next);
  }

  #belongs(row: Row): boolean {
    if (row.done !== (this.filter.place === "done") && this.filter.search === "") return false;
    return this.filter.place !== "unread" || !row.read || this.#sticky.has(row.id);
  }

  // ---- the row under the keyboard, and the selection

  /** Moves the keyboard's row; answers it. */
  move(to: "next" | "previous" | "first" | "last"): Row | null {
    const rows = this.rows;
    if (rows.length === 0) return null;
    const at = rows.findIndex((row) => row.id === this.cursor);
    const index = {
      next: Math.min(at + 1, rows.length - 1),
      previous: at < 0 ? 0 : Math.max(at - 1, 0),
      first: 0,
      last: rows.length - 1,
    }[to];
    const row = rows[index] ?? null;
    this.cursor = row?.id ?? null;
    this.#anchor = this.cursor;
    this.focusWanted += 1;
    return row;
  }

  /** Moves the keyboard's row and selects all from where it started. */
  extend(to: "next" | "previous"): void {
    const anchor = this.#anchor ?? this.cursor;
    this.move(to);
    this.#anchor = anchor ?? this.cursor;
    this.#selectRange();
  }

  /** Selects from the anchor to this row. */
  extendTo(id: number): void {
    this.#anchor ??= this.cursor ?? id;
    this.cursor = id;
    this.#selectRange();
  }

  #selectRange(): void {
    const from = this.rows.findIndex((row) => row.id === this.#anchor);
    const to = this.rows.findIndex((row) => row.id === this.cursor);
    if (from < 0 || to < 0) return;
    this.allMatching = false;
    this.selection.clear();
    for (const row of this.rows.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      this.selection.add(row.id);
    }
    this.#announcer.say(words.selection.count(this.selection.size));
  }

  /** Selects a row, or not. */
  toggle(id: number): void {
    this.allMatching = false;
    if (!this.selection.delete(id)) this.selection.add(id);
    this.cursor = id;
    this.#anchor = id;
    this.#announcer.say(words.selection.count(this.selection.size));
  }

  /** Selects all loaded rows. */
  selectAll(): void {
    for (const row of this.rows) this.selection.add(row.id);
    this.#announcer.say(words.selection.count(this.selection.size));
  }

  clearSelection(): void {
    this.selection.clear();
    this.allMatching = false;
    this.#anchor = null;
  }

  // ---- one notification

  /** Opens a notification: it is read from now on. */
  async open(id: number): Promise<void> {
    this.openId = id;
    this.cursor = id;
    this.#anchor = id;
    this.detailError = null;
    await this.#readDetail(id);
    const detail = this.detail;
    if (this.openId === id && detail?.row.id === id && !detail.row.read) {
      // A step, but not what the keys take back before what the user did.
      await this.#change({ which: "ids", ids: [id] }, "read", "aside");
    }
  }

  close(): void {
    this.openId = null;
    this.detail = null;
    this.detailError = null;
  }

  async #readDetail(id: number): Promise<void> {
    try {
      const detail = await this.#client.show(id);
      if (this.openId === id) this.detail = detail;
    } catch (thrown) {
      if (this.openId !== id) return;
      this.detail = null;
      this.detailError = errorView(thrown);
    }
  }

  // ---- changes

  /** Rows that were on screen long enough to be seen. */
  async seen(ids: number[]): Promise<void> {
    const fresh = this.rows.filter((row) => ids.includes(row.id) && !row.seen).map((row) => row.id);
    if (fresh.length === 0) return;
    this.loaded = { ...this.loaded, rows: patch(this.rows, new Set(fresh), { seen: true }) };
    for (const id of fresh) this.#echo.add(id);
    try {
      await this.#client.change({ which: "ids", ids: fresh }, "seen");
    } catch {
      // Seen is a courtesy: it will be seen again.
    }
  }

  /** Does something to what is selected or under the keyboard. */
  async act(change: Exclude<Change, "seen">, ids: number[] = this.subject): Promise<void> {
    if (ids.length === 0) return;
    const targets: Targets = this.allMatching
      ? { which: "query", query: this.query }
      : { which: "ids", ids };
    const many = this.allMatching || ids.length > 1;
    const bar = many || (change !== "read" && change !== "unread");
    await this.#change(targets, change, bar ? "bar" : "keys");
    if (many) this.clearSelection();
  }

  /** Marks all that the list could show as read. */
  async markAllRead(): Promise<void> {
    await this.#change({ which: "query", query: this.query }, "read", "bar");
  }

  #change(targets: Targets, change: Change, manner: Manner): Promise<void> {
    this.#apply(targets, change);
    const run = async () => {
      try {
        const changed = await this.#client.change(targets, change);
        this.#session.failure = null;
        if (changed.undo !== null && manner !== "aside") {
          this.#steps = [...this.#steps, changed.undo].slice(-STEPS);
          if (manner === "bar") this.undoable = { says: changed.says, step: changed.undo };
        }
        if (changed.count === 0) return;
        if (targets.which === "query") await this.reread(false);
      } catch (thrown) {
        this.#session.failure = errorView(thrown);
        await this.#quietly(() => this.reread(false));
      }
    };
    // One after the other: undo takes back the latest one.
    const done = this.#changes.then(run);
    this.#changes = done;
    return done;
  }

  /** Shows a change before the resident has said yes. */
  #apply(targets: Targets, change: Change): void {
    const ids = new Set(
      targets.which === "ids" ? targets.ids : this.rows.map((row) => row.id),
    );
    const { place } = this.filter;
    const wakes = change === "unread" && place === "snoozed";
    if ((change === "read" || change === "unread") && !wakes) {
      if (this.filter.place === "unread" || this.filter.search !== "") {
        for (const id of ids) this.#sticky.add(id);
      }
      const read = change === "read";
      this.loaded = { ...this.loaded, rows: patch(this.rows, ids, { read, seen: true }) };
      if (this.detail && ids.has(this.detail.row.id)) {
        this.detail = { ...this.detail, row: { ...this.detail.row, read } };
      }
      return;
    }
    const leaves =
      change === "delete" ||
      wakes ||
      (this.filter.toast === null && (change === "done" ? place !== "done" : change === "restore" ? place === "done" : place !== "snoozed"));
    if (this.detail && ids.has(this.detail.row.id) && (change === "done" || change === "restore")) {
      this.detail = { ...this.detail, row: { ...this.detail.row, done: change === "done" } };
    }
    if (!leaves) return;
    this.cursor = successor(this.rows, ids, this.cursor ?? this.openId);
    for (const id of ids) {
      this.selection.delete(id);
      this.#sticky.delete(id);
    }
    this.loaded = { ...this.loaded, rows: this.rows.filter((row) => !ids.has(row.id)) };
    if (this.openId !== null && ids.has(this.openId)) this.close();
  }

  /** Takes back what the bar names, and only that. */
  undoBar(): Promise<void> {
    const step = this.undoable?.step;
    this.undoable = null;
    return step === undefined ? Promise.resolve() : this.#undo(() => this.#takeBack(step));
  }

  /** Takes back what was done last in this window, or else the last change of all. */
  undo(): Promise<void> {
    return this.#undo(async () => {
      for (;;) {
        const step = this.#steps.at(-1) ?? null;
        try {
          return await this.#takeBack(step);
        } catch (thrown) {
          // Undone elsewhere, or too old: the one before.
          if (step === null || errorView(thrown).code !== "not_found") throw thrown;
        }
      }
    });
  }

  async #takeBack(step: number | null): Promise<Changed> {
    const forget = () => {
      this.#steps = this.#steps.filter((one) => one !== step);
      if (this.undoable?.step === step) this.undoable = null;
    };
    try {
      const changed = await this.#client.undo(step);
      forget();
      return changed;
    } catch (thrown) {
      if (errorView(thrown).code === "not_found") forget();
      throw thrown;
    }
  }

  #undo(takeBack: () => Promise<Changed>): Promise<void> {
    const run = async () => {
      try {
        const changed = await takeBack();
        this.#announcer.say(changed.says);
        this.#session.failure = null;
        this.#sticky.clear();
        await this.reread(false);
        if (this.openId !== null) await this.#readDetail(this.openId);
      } catch (thrown) {
        this.#session.failure = errorView(thrown);
      }
    };
    const done = this.#changes.then(run);
    this.#changes = done;
    return done;
  }
}
