// The window's side of the contract: what it may ask, and what it is told.

import type { AccountDraft } from "../bindings/AccountDraft";
import type { AccountEdit } from "../bindings/AccountEdit";
import type { AppSettings } from "../bindings/AppSettings";
import type { Change } from "../bindings/Change";
import type { ConfigImport } from "../bindings/ConfigImport";
import type { ErrorView } from "../bindings/ErrorView";
import type { Event } from "../bindings/Event";
import type { Import } from "../bindings/Import";
import type { ListQuery } from "../bindings/ListQuery";
import type { PictureOf } from "../bindings/PictureOf";
import type { PauseChange } from "../bindings/PauseChange";
import type { Preview } from "../bindings/Preview";
import type { Preferences } from "../bindings/Preferences";
import type { PreferencesRow } from "../bindings/PreferencesRow";
import type { Presence } from "../bindings/Presence";
import type { Reply } from "../bindings/Reply";
import type { Request } from "../bindings/Request";
import type { Sound } from "../bindings/Sound";
import type { SubscriptionEdit } from "../bindings/SubscriptionEdit";
import type { Target } from "../bindings/Target";
import type { Targets } from "../bindings/Targets";
import type { Tier } from "../bindings/Tier";
import { tauri } from "./tauri";

/** What a window was opened for. */
export type Opening = {
  view: "inbox" | "settings";
  target: Target;
  /** The page paints before its window is on the screen. */
  rehearses: boolean;
};

/** The way to the resident. */
export interface Api {
  /** Asks the resident; rejects with an {@link ErrorView}. */
  call(request: Request): Promise<Reply>;
  /** Hints: something changed, read it again. */
  onHint(listener: (event: Event) => void): Promise<void>;
  /** Whether the resident can be reached. */
  onLink(listener: (up: boolean) => void): Promise<void>;
  /** What this window shows first. */
  opening(): Promise<Opening>;
  /** Where the page finds a picture of a notification; `asked`: the user wants it, whatever the settings say. */
  picture(of: PictureOf, id: number, asked: boolean): string;
  /** The first true picture is on screen: the window may be shown. */
  painted(): Promise<void>;
}

type Is = Reply["is"];
type ValueOf<K extends Is> = Extract<Reply, { is: K }> extends { value: infer V } ? V : undefined;

/** Typed requests over an {@link Api}: one method each. */
export class Client {
  readonly api: Api;

  constructor(api: Api) {
    this.api = api;
  }

  private async ask<K extends Is>(request: Request, is: K): Promise<ValueOf<K>> {
    const reply = await this.api.call(request);
    if (reply.is !== is) {
      const wrong: ErrorView = {
        code: "internal",
        message: "Tidings answered something else than it was asked. Please restart it.",
        detail: `${request.do}: expected ${is}, got ${reply.is}`,
      };
      throw wrong;
    }
    return ("value" in reply ? reply.value : undefined) as ValueOf<K>;
  }

  status = () => this.ask({ do: "status" }, "status");
  list = (query: ListQuery) => this.ask({ do: "list", ...query }, "page");
  show = (id: number) => this.ask({ do: "show", id }, "detail");
  change = (targets: Targets, change: Change) =>
    this.ask({ do: "change", targets, change }, "changed");
  /** Takes back exactly this step, or the last one. */
  undo = (step: number | null) => this.ask({ do: "undo", step }, "changed");
  why = (id: number) => this.ask({ do: "why", id }, "ledger");
  act = (id: number, action: number, confirmed: boolean) =>
    this.ask({ do: "act", id, action, confirmed }, "act");
  openLink = (id: number) => this.ask({ do: "open_link", id }, "act");
  openUrl = (id: number, url: string) => this.ask({ do: "open_url", id, url }, "act");
  /** Of a picture that did not come, this tells why. */
  picture = (of: PictureOf, id: number, asked: boolean) =>
    this.ask({ do: "picture", id, of, asked }, "picture");
  pictureCache = () => this.ask({ do: "picture_cache" }, "picture_cache");
  pictureCacheEmpty = () => this.ask({ do: "picture_cache_empty" }, "picture_cache");
  kinds = () => this.ask({ do: "kinds" }, "kinds");
  detect = (url: string) => this.ask({ do: "detect", url }, "detected");
  accounts = () => this.ask({ do: "accounts" }, "accounts");
  accountAddByBrowser = (draft: AccountDraft) => this.ask({ do: "account_add_by_browser", ...draft }, "account");
  accountSignInByBrowser = (id: number) => this.ask({ do: "account_sign_in_by_browser", id }, "account");
  accountAdd = (draft: AccountDraft) => this.ask({ do: "account_add", ...draft }, "account");
  accountTry = (draft: AccountDraft) => this.ask({ do: "account_try", ...draft }, "test");
  accountTest = (id: number) => this.ask({ do: "account_test", id }, "test");
  accountEdit = (id: number, edit: Partial<AccountEdit>) =>
    this.ask({ do: "account_edit", id, edit: { ...NO_EDIT, ...edit } }, "account");
  accountRemove = (id: number) => this.ask({ do: "account_remove", id }, "done");
  import = (asked: Import) => this.ask({ do: "import", ...asked }, "imported");
  preview = (asked: Preview) => this.ask({ do: "preview", ...asked }, "previewed");
  subscriptionAdd = (account: number, topic: string) =>
    this.ask({ do: "subscription_add", account, topic }, "account");
  subscriptionEdit = (id: number, edit: Partial<SubscriptionEdit>) =>
    this.ask(
      { do: "subscription_edit", id, edit: { name: null, muted: null, min_tier: null, ...edit } },
      "account",
    );
  subscriptionRemove = (id: number, forget: boolean) =>
    this.ask({ do: "subscription_remove", id, forget }, "account");
  reconnect = (account: number | null) => this.ask({ do: "reconnect", account }, "done");
  pause = (pause: PauseChange) => this.ask({ do: "pause", ...pause }, "status");
  settings = () => this.ask({ do: "settings" }, "settings");
  settingsSet = (settings: AppSettings) => this.ask({ do: "settings_set", ...settings }, "settings");
  preferences = () => this.ask({ do: "preferences" }, "preferences");
  preferencesSet = (preferences: Preferences) => this.ask({ do: "preferences_set", ...preferences }, "preferences");
  configExport = () => this.ask({ do: "config_export" }, "config");
  configImport = (asked: ConfigImport) => this.ask({ do: "config_import", ...asked }, "config_taken");
  cellSet = (row: PreferencesRow) => this.ask({ do: "cell_set", ...row }, "preferences");
  grid = () => this.ask({ do: "grid" }, "grid");
  /** The present preferences beside others, over the last days. */
  simulate = (preferences: Preferences | null, days: number) =>
    this.ask({ do: "simulate", preferences, days }, "simulation");
  deliverNow = () => this.ask({ do: "deliver_now" }, "status");
  quietSkip = () => this.ask({ do: "quiet_skip" }, "status");
  cardDismiss = (subscription: number, kind: string | null) =>
    this.ask({ do: "card_dismiss", subscription, kind }, "status");
  looking = (presence: Presence) => this.ask({ do: "looking", ...presence }, "done");
  openWindow = (target: Target) => this.ask({ do: "open_window", target, token: null }, "done");
  doctor = () => this.ask({ do: "doctor" }, "doctor");
  sounds = () => this.ask({ do: "sounds" }, "sounds");
  soundTry = (sound: Sound, tier: Tier, volume: number) => this.ask({ do: "sound_try", sound, tier, volume }, "tried");
  testToast = () => this.ask({ do: "test_toast" }, "done");
}

const NO_EDIT: AccountEdit = {
  name: null,
  url: null,
  sign_in: null,
  secret: null,
  secrets: null,
  transport: null,
  allow_http: null,
  muted: null,
  min_tier: null,
  disabled: null,
  options: null,
  way: null,
  proxy_sign_in: null,
  certificate_password: null,
  headers: null,
};

/** Makes an {@link ErrorView} of whatever was thrown. */
export function errorView(thrown: unknown): ErrorView {
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "message" in thrown) {
    return thrown as ErrorView;
  }
  return {
    code: "internal",
    message: "Something went wrong in this window. Close it and open it again.",
    detail: String(thrown),
  };
}

/** The real way inside the app; in a plain browser the fake, which a release does not carry. */
export async function connect(): Promise<Api> {
  if ("__TAURI_INTERNALS__" in window) return tauri();
  if (import.meta.env.MODE !== "production") {
    return (await import("./fake-address")).fakeFromAddress(window.location.search);
  }
  throw new Error("This page is a part of Tidings and works only in its window.");
}
