// The fake resident's document of preferences: it compares part by part, and knows no parts but the true ones.

import type { App } from "../bindings/App";
import type { AppSettings } from "../bindings/AppSettings";
import type { Config } from "../bindings/Config";
import type { ConfigChange } from "../bindings/ConfigChange";
import type { ConfigImport } from "../bindings/ConfigImport";
import type { ConfigReport } from "../bindings/ConfigReport";
import type { ErrorView } from "../bindings/ErrorView";
import type { Event } from "../bindings/Event";
import type { Preferences } from "../bindings/Preferences";
import { defaultPreferences } from "../policy/defaults";
import type { FakePolicy } from "./fake-policy";

export function exported(policy: FakePolicy, settings: AppSettings): Config {
  return { ...policy.document, app: appOf(settings) };
}

/** What goes along to another computer. */
function appOf(settings: AppSettings): App {
  const { appearance, keep_days, keep_count, letter_shortcuts, tell_servers, pictures, timings } = settings;
  return { appearance, keep_days, keep_count, letter_shortcuts, tell_servers, pictures, timings };
}

/** Takes a document over, or says what would come of it. */
export function taken(policy: FakePolicy, asked: ConfigImport, house: { settings: AppSettings; hint(event: Event): void }): ConfigReport {
  const given = parsed(asked.text);
  const before = exported(policy, house.settings);
  const known = (name: string) => name in before || name === "accounts";
  const problems = Object.keys(given)
    .filter((name) => !known(name))
    .map((at) => ({ at, says: `${at} is nothing that Tidings knows.` }));
  const { app, ...rest } = { app: before.app, ...given } as Partial<Config> & { app: App };
  const preferences = Object.fromEntries(
    Object.entries({ ...defaultPreferences(), ...rest }).filter(([name]) => known(name) && name !== "accounts"),
  ) as Preferences;
  const report: ConfigReport = {
    taken: !asked.dry_run && (asked.lenient || problems.length === 0),
    problems,
    kept_back: [],
    changes: changes(before, { ...preferences, app }),
    preferences,
  };
  if (report.taken) {
    policy.document = preferences;
    house.settings = { ...house.settings, ...app };
    house.hint({ event: "status" });
    house.hint({ event: "settings" });
  }
  return report;
}

function parsed(text: string): object {
  let given: unknown = null;
  try {
    given = JSON.parse(text);
  } catch {
    // Said below.
  }
  if (typeof given === "object" && given !== null) return given;
  const error: ErrorView = { code: "invalid", message: "This is not JSON (line 1, column 1).", detail: "" };
  throw error;
}

function changes(before: Config, after: Config): ConfigChange[] {
  const part = (of: Config, at: string) => JSON.stringify(of[at as keyof Config]) ?? "";
  return Object.keys(after)
    .map((at) => ({ at, before: part(before, at), after: part(after, at) }))
    .filter((change) => change.before !== change.after);
}
