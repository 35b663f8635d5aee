// What every view needs to know of the resident: is it there, how is it, which accounts, which settings.

import { errorView, type Client, type Opening } from "../api";
import type { AccountView } from "../bindings/AccountView";
import type { ConnectionState } from "../bindings/ConnectionState";
import type { ConnectionView } from "../bindings/ConnectionView";
import type { AppSettings } from "../bindings/AppSettings";
import type { ErrorView } from "../bindings/ErrorView";
import type { Event } from "../bindings/Event";
import type { PauseChange } from "../bindings/PauseChange";
import type { Status } from "../bindings/Status";
import type { Target } from "../bindings/Target";
import { coalesced } from "./once";

/** Hints that come in bursts are answered once in so many milliseconds. */
const SOON = 60;

/** Whether the settings show it, and not the inbox. */
const inSettings = (target: Target): boolean => !["inbox", "notification", "toast"].includes(target.show);

/** The window's picture of the resident. */
export class Session {
  readonly client: Client;
  readonly #view: Opening["view"];
  /** The link has told how it is. */
  #heard = false;
  /** The resident can be reached. */
  up = $state(true);
  status = $state.raw<Status | null>(null);
  accounts = $state.raw<AccountView[] | null>(null);
  settings = $state.raw<AppSettings | null>(null);
  /** The last thing that failed, for the view to show near where it was asked. */
  failure = $state.raw<ErrorView | null>(null);

  #listeners: ((event: Event) => void)[] = [];
  #returns: (() => void)[] = [];
  readonly #status: () => void;
  readonly #accounts: () => void;
  readonly #settings: () => void;

  constructor(client: Client, view: Opening["view"] = "inbox") {
    this.client = client;
    this.#view = view;
    const quietly = (read: () => Promise<void>) => async () => {
      try {
        await read();
      } catch {
        // The link says so on its own, and everything is read again when it is back.
      }
    };
    this.#status = coalesced(quietly(() => this.readStatus()), SOON);
    this.#accounts = coalesced(quietly(() => this.readAccounts()), SOON);
    this.#settings = coalesced(quietly(() => this.readSettings()), SOON);
  }

  /** Listens, then reads everything once. */
  async start(): Promise<void> {
    await Promise.all([
      this.client.api.onHint((event) => this.#hint(event)),
      this.client.api.onLink((up) => this.#link(up)),
    ]);
    const read = await Promise.allSettled([this.readStatus(), this.readAccounts(), this.readSettings()]);
    // Nobody was there from the start: no link went down that would have said so.
    const missing = read.some((one) => one.status === "rejected" && errorView(one.reason).code === "needs_resident");
    if (missing && !this.#heard) this.up = false;
  }

  /** Where a connection stands, which nobody knows while the resident is away. */
  stateOf(connection: ConnectionView): ConnectionState | "unknown" {
    return this.up ? connection.state : "unknown";
  }

  /** Calls `listener` with every hint, until what it answers with is called. */
  onHint(listener: (event: Event) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== listener);
    };
  }

  /** Calls `listener` when the resident is back after an absence. */
  onReturn(listener: () => void): void {
    this.#returns.push(listener);
  }

  async readStatus(): Promise<void> {
    this.status = await this.client.status();
  }

  async readAccounts(): Promise<void> {
    this.accounts = await this.client.accounts();
  }

  async readSettings(): Promise<void> {
    this.settings = await this.client.settings();
  }

  /** Does what the user asked; a failure is kept in words. Answers whether it went well. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      this.failure = null;
      return true;
    } catch (thrown) {
      this.failure = errorView(thrown);
      return false;
    }
  }

  pause(change: PauseChange): Promise<boolean> {
    return this.attempt(async () => (this.status = await this.client.pause(change)));
  }

  /** Changes some settings at once on screen, and back if they could not be kept. */
  async set(change: Partial<AppSettings>): Promise<ErrorView | null> {
    const before = this.settings;
    if (!before) return null;
    this.settings = { ...before, ...change };
    try {
      this.settings = await this.client.settingsSet(this.settings);
      return null;
    } catch (thrown) {
      this.settings = before;
      return errorView(thrown);
    }
  }

  #hint(event: Event): void {
    switch (event.event) {
      case "arrived":
      case "changed":
        this.#status();
        this.#accounts();
        break;
      case "status":
        this.#status();
        this.#accounts();
        break;
      case "accounts":
        this.#accounts();
        this.#status();
        break;
      case "settings":
        this.#settings();
        break;
      case "preferences":
        // Accounts and subscriptions say whether they are muted.
        this.#accounts();
        break;
      case "resync":
        this.#everything();
        break;
      case "present":
        // The other window's.
        if (inSettings(event.target) !== (this.#view === "settings")) return;
        break;
      case "stopping":
        break;
    }
    for (const listener of this.#listeners) listener(event);
  }

  #link(up: boolean): void {
    this.#heard = true;
    const back = up && !this.up;
    this.up = up;
    if (!back) return;
    this.failure = null;
    this.#everything();
    for (const listener of this.#returns) listener();
  }

  #everything(): void {
    this.#status();
    this.#accounts();
    this.#settings();
  }
}
