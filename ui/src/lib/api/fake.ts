// A resident in memory, for development in a plain browser, for tests and for screenshots.

import type { AccountView } from "../bindings/AccountView";
import type { AppSettings } from "../bindings/AppSettings";
import type { Change } from "../bindings/Change";
import type { Changed } from "../bindings/Changed";
import type { Detail } from "../bindings/Detail";
import type { ErrorView } from "../bindings/ErrorView";
import type { Event } from "../bindings/Event";
import type { Back } from "../bindings/Back";
import type { ListQuery } from "../bindings/ListQuery";
import type { PictureCache } from "../bindings/PictureCache";
import type { PictureOf } from "../bindings/PictureOf";
import type { PauseView } from "../bindings/PauseView";
import type { Reply } from "../bindings/Reply";
import type { Request } from "../bindings/Request";
import type { Row } from "../bindings/Row";
import type { Status } from "../bindings/Status";
import type { Targets } from "../bindings/Targets";
import {
  account,
  connectionOf,
  DOCTOR,
  hopsFor,
  KINDS,
  manyRows,
  newcomer,
  PICTURE,
  sampleDetails,
  subscription,
} from "./fake-data";
import { imported, previewed } from "./fake-import";
import { fail, matches, says } from "./fake-words";
import { FakePolicy } from "./fake-policy";
import { answerPolicy } from "./fake-policy-answers";
import { DEFAULT_TIMINGS } from "../words/timings";
import type { Api, Opening } from "./index";

/** What the fake plays. */
export type Scenario =
  | "normal"
  | "empty"
  | "first"
  | "caught-up"
  | "offline"
  | "auth"
  | "paused"
  | "gone"
  | "huge"
  | "slow"
  | "broken"
  | "notices"
  | "keyring"
  | "policy"
  | "quiet";

/** How the fake starts. */
export type FakeOptions = {
  scenario?: Scenario;
  opening?: Opening;
  settings?: Partial<AppSettings>;
  /** The present, milliseconds. */
  now?: () => number;
  /** Milliseconds that an answer takes. */
  delay?: number;
  /** Milliseconds between arrivals of their own; none if 0. */
  lively?: number;
};

type Step = { id: number; rows: Map<number, Row>; says: string; snoozed: Map<number, Back> };

/** The fake engine: the contract over a few arrays. */
export class Fake implements Api {
  rows: Row[] = [];
  accounts: AccountView[] = [];
  settings: AppSettings = {
    appearance: "system",
    start_at_login: true,
    keep_days: 90,
    keep_count: 10_000,
    letter_shortcuts: true,
    tell_servers: true,
    pictures: "own_servers",
    close_explained: true,
    timings: DEFAULT_TIMINGS,
  };
  cache: PictureCache = { files: 214, bytes: 18_874_368 };
  pauseView: PauseView | null = null;
  notices: string[] = [];
  readonly policy = new FakePolicy(
    () => this.now,
    () => this.accounts,
    () => this.rows,
  );
  /** What a toast told of, by its number. */
  readonly toasts = new Map<number, number[]>();
  /** All requests, oldest first. */
  readonly calls: Request[] = [];
  /** Answers that a test wants to fail, by request. */
  readonly failures = new Map<Request["do"], ErrorView>();
  readonly #details = new Map<number, Partial<Detail>>();
  #undo: Step[] = [];
  readonly #hints: ((event: Event) => void)[] = [];
  readonly #links: ((up: boolean) => void)[] = [];
  readonly #options: FakeOptions;
  readonly #scenario: Scenario;
  #next = 100_000;
  #keyringTried = false;
  /** Notifications that wait for a pause or quiet hours to end. */
  waiting = 3;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.#scenario = options.scenario ?? "normal";
    Object.assign(this.settings, options.settings);
    this.#play(this.#scenario);
    if (options.lively) setInterval(() => this.arrive(), options.lively);
  }

  get now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  #play(scenario: Scenario): void {
    if (scenario === "first") return;
    this.accounts = [account(1, "home", "https://ntfy.example.org", this.now), account(2, "work", "https://push.example.com", this.now)];
    const [home, work] = this.accounts as [AccountView, AccountView];
    home.subscriptions = [
      subscription(1, "backups", "Backups", this.now),
      subscription(2, "doorbell", "Door bell", this.now),
      subscription(3, "nas-alerts", "nas-alerts", this.now),
    ];
    work.subscriptions = [subscription(4, "builds", "Builds", this.now), subscription(5, "chat", "Team chat", this.now)];
    if (scenario === "empty") {
      this.accounts = [home];
      home.subscriptions = home.subscriptions.slice(0, 1);
      return;
    }
    if (scenario === "huge") this.rows = manyRows(10_000, this.now);
    else {
      for (const detail of sampleDetails(this.now)) {
        if (!detail.row) continue;
        this.rows.push(detail.row);
        this.#details.set(detail.row.id, detail);
      }
    }
    if (scenario === "caught-up") this.rows = this.rows.map((row) => ({ ...row, read: true, seen: true }));
    if (scenario === "offline") {
      for (const one of this.accounts) {
        one.connection = connectionOf(one, "waiting", this.now - 14 * 60_000);
        one.connection.problem = `${new URL(one.url).host} could not be reached: the connection was refused.`;
        one.connection.retry_at = new Date(this.now + 20_000).toISOString();
      }
    }
    if (scenario === "auth") {
      work.connection = connectionOf(work, "stopped", this.now - 5 * 60_000);
      work.connection.problem = "push.example.com refused the password (401).";
    }
    if (scenario === "paused") {
      this.pauseView = { until: new Date(this.now + 47 * 60_000).toISOString(), critical_rings: true };
    }
    if (scenario === "notices") {
      this.notices = [
        "The disk is full: new notifications wait on their servers until there is room.",
        "This desktop has no tray. Start Tidings again to open the inbox.",
      ];
    }
    if (scenario === "policy" || scenario === "quiet") {
      home.subscriptions.push(subscription(6, "printer", "Old printer", this.now));
      this.policy.lived();
    }
    if (scenario === "quiet") {
      const hour = (by: number) => `${String(new Date(this.now + by * 3_600_000).getHours()).padStart(2, "0")}:00`;
      this.policy.document.quiet.schedules = [
        { name: "Night", days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: hour(-2), to: hour(5), lets_through: "critical" },
      ];
    }
    this.toasts.set(7, [59, 57, 53]);
    if (scenario === "gone") setTimeout(() => this.link(false), 300);
  }

  // ---- Api

  async call(request: Request): Promise<Reply> {
    this.calls.push(request);
    const delay = this.#scenario === "slow" && request.do === "list" ? 3_600_000 : (this.#options.delay ?? 0);
    await (delay > 0 ? new Promise((resolve) => setTimeout(resolve, delay)) : Promise.resolve());
    const failure = this.failures.get(request.do);
    if (failure) throw failure;
    return structuredClone(this.#answer(request));
  }

  async onHint(listener: (event: Event) => void): Promise<void> {
    this.#hints.push(listener);
  }

  async onLink(listener: (up: boolean) => void): Promise<void> {
    this.#links.push(listener);
  }

  async opening(): Promise<Opening> {
    return this.#options.opening ?? { view: "inbox", target: { show: "inbox" }, rehearses: false };
  }

  picture(of: PictureOf, id: number, asked: boolean): string {
    return `${PICTURE}#${of}-${id}${asked ? "-asked" : ""}`;
  }

  async painted(): Promise<void> {
    document.documentElement.dataset["painted"] = "";
  }

  // ---- for tests and the demo

  hint(event: Event): void {
    for (const listener of this.#hints) listener(event);
  }

  /** The resident starts to answer, or stops; nobody is told. */
  reachable(yes: boolean): void {
    const gone: ErrorView = { code: "needs_resident", message: "Tidings is not running.", detail: "" };
    for (const request of ["status", "accounts", "settings", "list"] as const) {
      if (yes) this.failures.delete(request);
      else this.failures.set(request, gone);
    }
  }

  link(up: boolean): void {
    for (const listener of this.#links) listener(up);
  }

  /** Something is published. */
  arrive(part: Partial<Row> = {}): Row {
    this.#next += 1;
    const row = { ...newcomer(this.#next, this.now), ...part };
    this.rows.unshift(row);
    this.hint({ event: "arrived", ids: [row.id] });
    return row;
  }

  // ---- the contract

  #answer(request: Request): Reply {
    switch (request.do) {
      case "status":
        return { is: "status", value: this.status() };
      case "watch":
      case "looking":
      case "open_window":
      case "window_shape_set":
      case "test_toast":
      case "quit":
        return { is: "done" };
      case "list": {
        if (this.#scenario === "broken") fail("storage", "The inbox could not be read: its database is damaged. Tidings keeps a copy; restore one with “tidings restore”.", "SQLITE_CORRUPT");
        const all = this.#find(request);
        const from = request.before === null ? 0 : Number(request.before);
        const to = from + (request.limit || 50);
        return { is: "page", value: { rows: all.slice(from, to), next: to < all.length ? String(to) : null } };
      }
      case "show":
        return { is: "detail", value: this.#detail(request.id) };
      case "change":
        return { is: "changed", value: this.#change(request.targets, request.change) };
      case "undo":
        return { is: "changed", value: this.#takeBack(request.step) };
      case "why":
        return { is: "ledger", value: this.policy.ledger(this.#row(request.id)) };
      case "act": {
        const action = this.#detail(request.id).actions[request.action];
        if (!action) fail("not_found", "This notification has no such action.");
        if (action.kind === "copy") return { is: "act", value: { outcome: "copy", text: "482 913" } };
        if (action.kind === "open") return { is: "act", value: { outcome: "opened", url: "https://example.com" } };
        if (!request.confirmed) return { is: "act", value: { outcome: "confirm", says: action.says } };
        return { is: "act", value: { outcome: "sent", status: 200 } };
      }
      case "open_link":
        this.#change({ which: "ids", ids: [request.id] }, "read");
        return { is: "act", value: { outcome: "opened", url: this.#detail(request.id).url ?? "" } };
      case "open_url": {
        const { body, html, attachment } = this.#detail(request.id);
        if (![body, html, attachment?.url].some((text) => text?.includes(request.url))) {
          fail("invalid", "This notification has no such link. It may have been replaced by a newer version; open it again.");
        }
        return { is: "act", value: { outcome: "opened", url: request.url } };
      }
      case "picture": {
        const { row, attachment } = this.#detail(request.id);
        const there = request.of === "icon" ? row.icon : attachment?.preview === "ready" || request.asked;
        if (!there) fail("network", "The picture on elsewhere.example could not be loaded: the server answered with status 404. Ask who published it, if it matters.");
        return { is: "picture", value: { png: PICTURE.split(",")[1] ?? "" } };
      }
      case "picture_cache_empty":
        this.cache = { files: 0, bytes: 0 };
        return { is: "picture_cache", value: this.cache };
      case "picture_cache":
        return { is: "picture_cache", value: this.cache };
      case "kinds":
        return { is: "kinds", value: KINDS };
      case "detect":
        return { is: "detected", value: this.#detect(request.url) };
      case "accounts":
        return { is: "accounts", value: this.#accounts() };
      case "account_add":
        if (request.secrets === "keyring" && request.secret && this.#scenario === "keyring" && !this.#keyringTried) {
          fail("keyring", "The keyring is locked, so the password has no safe place yet.", "org.freedesktop.Secret.Error.IsLocked");
        }
        return { is: "account", value: this.#add(request) };
      case "account_add_by_browser":
        return { is: "account", value: this.#add({ ...request, do: "account_add" }) };
      case "account_sign_in_by_browser": {
        const one = this.#account(request.id);
        one.connection = connectionOf(one, "live", this.now);
        this.hint({ event: "accounts" });
        return { is: "account", value: one };
      }
      case "account_try":
        return { is: "test", value: hopsFor(request.url, request.secret, request.way.pin) };
      case "account_test": {
        const one = this.#account(request.id);
        return { is: "test", value: hopsFor(one.url, one.connection.state === "stopped" ? "wrong" : "x", one.way.pin) };
      }
      case "account_edit": {
        const one = this.#account(request.id);
        const { edit } = request;
        if (edit.name !== null) one.name = edit.name;
        if (edit.url !== null) one.url = edit.url;
        if (edit.sign_in !== null) one.sign_in = edit.sign_in;
        if (edit.secrets !== null) one.secrets = edit.secrets;
        if (edit.transport !== null) one.transport = edit.transport.choice === "fixed" ? edit.transport.transport : null;
        if (edit.allow_http !== null) one.allow_http = edit.allow_http;
        if (edit.muted !== null) one.muted = edit.muted;
        if (edit.min_tier !== null) one.min_tier = edit.min_tier;
        if (edit.way !== null) one.way = edit.way;
        if (edit.headers !== null) one.headers = edit.headers.map(([name]) => name);
        if (edit.options !== null) one.options = edit.options;
        if (edit.disabled !== null) {
          one.disabled = edit.disabled;
          one.connection = connectionOf(one, edit.disabled ? "idle" : "live", this.now);
        }
        if (edit.secret !== null) one.connection = connectionOf(one, "live", this.now);
        this.hint({ event: "accounts" });
        return { is: "account", value: one };
      }
      case "account_remove":
        this.#account(request.id);
        this.accounts = this.accounts.filter((one) => one.id !== request.id);
        this.rows = this.rows.filter((row) => row.account !== request.id);
        this.hint({ event: "accounts" });
        this.hint({ event: "resync" });
        return { is: "done" };
      case "import":
        return { is: "imported", value: imported(request, (draft) => this.#add(draft), this.accounts) };
      case "preview":
        return { is: "previewed", value: previewed(request) };
      case "subscription_add": {
        const one = this.#account(request.account);
        if (/[^-_A-Za-z0-9]/.test(request.topic)) fail("invalid", "A topic has letters, digits, - and _ only, at most 64 of them.");
        const known = one.subscriptions.find((s) => s.topic === request.topic);
        if (known) {
          Object.assign(known, { off: false, problem: "" });
          this.hint({ event: "accounts" });
          return { is: "account", value: one };
        }
        this.#next += 1;
        one.subscriptions.push(subscription(this.#next, request.topic, request.topic, this.now));
        this.hint({ event: "accounts" });
        return { is: "account", value: one };
      }
      case "subscription_edit": {
        const one = this.#accountOf(request.id);
        const sub = one.subscriptions.find((s) => s.id === request.id);
        if (sub) {
          if (request.edit.name !== null) sub.name = request.edit.name || sub.topic;
          if (request.edit.muted !== null) sub.muted = request.edit.muted;
          if (request.edit.min_tier !== null) sub.min_tier = request.edit.min_tier;
        }
        this.hint({ event: "accounts" });
        return { is: "account", value: one };
      }
      case "subscription_remove": {
        const one = this.#accountOf(request.id);
        one.subscriptions = one.subscriptions.filter((s) => s.id !== request.id);
        if (request.forget) this.rows = this.rows.filter((row) => row.subscription !== request.id);
        this.hint({ event: "accounts" });
        return { is: "account", value: one };
      }
      case "reconnect":
        for (const one of this.accounts) {
          if (request.account === null || one.id === request.account) one.connection = connectionOf(one, "live", this.now);
        }
        this.hint({ event: "status" });
        return { is: "done" };
      case "pause":
        this.pauseView =
          request.pause === "off"
            ? null
            : {
                until: request.pause === "for" ? new Date(this.now + request.minutes * 60_000).toISOString() : request.pause === "until_tomorrow" ? new Date(this.now + 10 * 3_600_000).toISOString() : null,
                critical_rings: request.critical_rings,
              };
        this.hint({ event: "status" });
        return { is: "status", value: this.status() };
      case "send":
        return { is: "sent", value: { remote_id: this.arrive({ title: request.title, preview: request.body }).id.toString(36) } };
      case "settings":
        return { is: "settings", value: this.settings };
      case "settings_set": {
        const settings = { ...request } as AppSettings & Partial<Pick<Request, "do">>;
        delete settings.do;
        this.settings = settings;
        this.hint({ event: "settings" });
        return { is: "settings", value: this.settings };
      }
      case "window_shape":
        return { is: "shape", value: null };
      case "doctor":
        return { is: "doctor", value: DOCTOR };
      default:
        return answerPolicy(this.policy, request, this);
    }
  }

  #row(id: number): Row {
    return this.rows.find((row) => row.id === id) ?? fail("not_found", "This notification is no longer here: it was deleted.");
  }

  #account(id: number): AccountView {
    return this.accounts.find((one) => one.id === id) ?? fail("not_found", "There is no such account.");
  }

  #accountOf(subscriptionId: number): AccountView {
    return (
      this.accounts.find((one) => one.subscriptions.some((s) => s.id === subscriptionId)) ??
      fail("not_found", "There is no such subscription.")
    );
  }

  #detail(id: number): Detail {
    const row = this.#row(id);
    return {
      remote_id: `r${id}`,
      body: row.preview,
      format: "plain",
      html: "",
      url: row.has_url ? "https://ci.example.com/builds/4711" : null,
      actions: [],
      attachment: null,
      revisions: [],
      raw: JSON.stringify({ id: `r${id}`, event: "message", topic: row.topic, title: row.title, message: row.preview, priority: row.priority }),
      ...this.#details.get(id),
      row: this.policy.withBack(row),
    };
  }

  #find(query: ListQuery): Row[] {
    const terms = query.search.toLowerCase().split(/\s+/).filter(Boolean);
    return this.rows.filter(
      (row) =>
        (query.toast === null || (this.toasts.get(query.toast) ?? []).includes(row.id)) &&
        (query.toast !== null || row.done === (query.place === "done")) &&
        (query.toast !== null || this.policy.snoozed.has(row.id) === (query.place === "snoozed")) &&
        (query.place !== "unread" || !row.read) &&
        (query.account === null || row.account === query.account) &&
        (query.subscription === null || row.subscription === query.subscription) &&
        terms.every((term) => matches(row, term)),
    ).map((row) => this.policy.withBack(row));
  }

  #change(targets: Targets, change: Change): Changed {
    const rows = targets.which === "ids" ? this.rows.filter((row) => targets.ids.includes(row.id)) : this.#find(targets.query);
    const before = new Map<number, Row>();
    const back = new Map(this.policy.snoozed);
    for (const row of rows) {
      const now = { ...row };
      if (change === "seen") now.seen = true;
      if (change === "read") now.read = now.seen = true;
      if (change === "unread") now.read = false;
      if (change === "done") now.done = now.read = true;
      if (change === "restore") now.done = false;
      if (typeof change === "object") this.policy.snoozed.set(row.id, change.snooze.back);
      else if (change === "unread") this.policy.snoozed.delete(row.id);
      if (change !== "delete" && typeof change !== "object" && !back.has(row.id) && JSON.stringify(now) === JSON.stringify(row)) continue;
      before.set(row.id, row);
      this.rows = change === "delete" ? this.rows.filter((one) => one.id !== row.id) : this.rows.map((one) => (one.id === row.id ? now : one));
    }
    const said = says(before.size, change);
    let undo: number | null = null;
    if (before.size > 0) {
      if (change !== "seen") {
        undo = this.#next += 1;
        this.#undo.push({ id: undo, rows: before, says: said, snoozed: back });
      }
      queueMicrotask(() => this.hint({ event: "changed", ids: [...before.keys()] }));
    }
    return { count: before.size, says: said, undo };
  }

  /** Rows that a later step changed again keep that; the later step takes over what was before. */
  #takeBack(id: number | null): Changed {
    const step = id === null ? this.#undo.at(-1) : this.#undo.find((one) => one.id === id);
    if (!step) {
      if (id !== null) fail("not_found", "This can no longer be undone. The last 50 changes of seven days can.");
      return { count: 0, says: "There is nothing to undo.", undo: null };
    }
    const since = this.#undo.slice(this.#undo.indexOf(step) + 1);
    this.#undo = this.#undo.filter((one) => one !== step);
    const back: Row[] = [];
    for (const row of step.rows.values()) {
      const later = since.find((one) => one.rows.has(row.id));
      if (later) later.rows.set(row.id, row);
      else back.push(row);
    }
    const ids = back.map((row) => row.id);
    for (const id of ids) {
      const until = step.snoozed.get(id);
      if (until) this.policy.snoozed.set(id, until);
      else this.policy.snoozed.delete(id);
    }
    this.rows = [...this.rows.filter((row) => !ids.includes(row.id)), ...back];
    this.rows.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || b.id - a.id);
    this.hint({ event: "changed", ids });
    return { count: back.length, says: `Undone: ${step.says}`, undo: null };
  }

  #accounts(): AccountView[] {
    return this.accounts.map((one) => ({
      ...one,
      subscriptions: one.subscriptions.map((s) => ({
        ...s,
        unread: this.rows.filter((row) => row.subscription === s.id && !row.read && !row.done).length,
      })),
    }));
  }

  status(): Status {
    const inbox = this.rows.filter((row) => !row.done && !this.policy.snoozed.has(row.id));
    const unread = inbox.filter((row) => !row.read);
    return {
      version: "0.1.0",
      counts: {
        unread: unread.length,
        critical: unread.filter((row) => row.tier === "critical").length,
        all: inbox.length,
        done: this.rows.filter((row) => row.done).length,
        held: this.pauseView ? this.waiting : 0,
        owed: this.#scenario === "offline" ? 2 : 0,
      },
      pause: this.pauseView,
      quiet: this.policy.quiet(),
      next_quiet: this.policy.nextQuiet(),
      held: this.policy.held(this.waiting, this.pauseView ? this.pauseView.until : undefined).filter((one) => one.count > 0),
      around: [], told: ["locked", "presenting", "full_screen", "do_not_disturb"],
      cards: this.policy.cards,
      connections: this.accounts.map((one) => ({ ...one.connection, account_name: one.name })),
      notices: this.notices,
      latest: inbox.slice(0, 3),
    };
  }

  #detect(pasted: string) {
    const text = pasted.trim();
    if (text.startsWith("PUSHER_")) {
      return { kind: "pusher" as const, url: "https://ws-eu.pusher.com/app/k1/", topics: [], names: [], options: "", says: "These are an application’s own settings: the server and the app’s key were taken over." };
    }
    if (text === "" || /\s/.test(text)) fail("invalid", "This is not an address. Paste it as in the browser, for example https://ntfy.example.org.");
    if (text.includes("unreachable")) fail("network", "unreachable.example.org could not be found. Check the spelling, and whether this computer is online.", "failed to lookup address information");
    const url = new URL(/^https?:\/\//.test(text) ? text : `https://${text.replace(/^[a-z]+:\/\//, "")}`);
    const topics = url.pathname.split("/").filter(Boolean);
    const known = !text.includes("captive");
    return {
      kind: known ? ("ntfy" as const) : null,
      url: url.origin,
      topics,
      names: [],
      options: "",
      says: known ? `An ntfy server answers at ${url.host}.` : `Something answers at ${url.host}, but it is no notification server that Tidings knows. Is this a sign-in page of the network?`,
    };
  }

  #add(draft: Extract<Request, { do: "account_add" }>): AccountView {
    this.#next += 1;
    const one = account(this.#next, draft.name || new URL(draft.url).host, draft.url, this.now);
    one.sign_in = draft.sign_in;
    one.secrets = draft.secrets;
    one.subscriptions = draft.topics.map((topic) => {
      this.#next += 1;
      return subscription(this.#next, topic, topic, this.now);
    });
    this.accounts.push(one);
    this.hint({ event: "accounts" });
    return one;
  }

  /** The keyring was unlocked. */
  unlockKeyring(): void {
    this.#keyringTried = true;
  }
}
