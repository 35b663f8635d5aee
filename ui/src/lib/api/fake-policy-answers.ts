// What the fake resident answers about its policy.

import type { AppSettings } from "../bindings/AppSettings";
import type { ErrorView } from "../bindings/ErrorView";
import type { Event } from "../bindings/Event";
import type { Preferences } from "../bindings/Preferences";
import type { PreferencesRow } from "../bindings/PreferencesRow";
import type { Reply } from "../bindings/Reply";
import type { Request } from "../bindings/Request";
import type { Status } from "../bindings/Status";
import { exported, taken } from "./fake-config";
import { isMissing, type FakePolicy } from "./fake-policy";

/** The rest of the fake, as far as its policy needs it. */
type House = { waiting: number; settings: AppSettings; hint(event: Event): void; status(): Status };

/** The requests that are about the policy. */
type PolicyRequest = Extract<
  Request,
  {
    do:
      | "preferences"
      | "preferences_set"
      | "config_export"
      | "config_import"
      | "config_set"
      | "cell_set"
      | "grid"
      | "types"
      | "simulate"
      | "deliver_now"
      | "quiet_skip"
      | "card_dismiss"
      | "ledgers"
      | "sounds"
      | "sound_try";
  }
>;

function refuse(code: ErrorView["code"], message: string): never {
  const error: ErrorView = { code, message, detail: "" };
  throw error;
}

/** A request without its name: what it carries. */
function carried<T>(request: T & { do: string }): T {
  return structuredClone(Object.fromEntries(Object.entries(request).filter(([name]) => name !== "do"))) as T;
}

export function answerPolicy(policy: FakePolicy, request: PolicyRequest, house: House): Reply {
  const status = (): Reply => {
    house.hint({ event: "status" });
    return { is: "status", value: house.status() };
  };
  switch (request.do) {
    case "preferences":
      return { is: "preferences", value: policy.view() };
    case "preferences_set":
      policy.document = carried<Preferences>(request);
      house.hint({ event: "status" });
      house.hint({ event: "preferences" });
      return { is: "preferences", value: policy.view() };
    case "config_export":
      return { is: "config", value: exported(policy, house.settings) };
    case "config_import":
      return { is: "config_taken", value: taken(policy, request, house) };
    case "config_set":
      return refuse("invalid", "This is set from the command line.");
    case "cell_set":
      if (!policy.cellSet(carried<PreferencesRow>(request))) refuse("invalid", "This would end before it begins. Choose a later time.");
      house.hint({ event: "status" });
      house.hint({ event: "preferences" });
      return { is: "preferences", value: policy.view() };
    case "grid":
      return { is: "grid", value: policy.grid() };
    case "types":
      return { is: "types", value: policy.types() };
    case "simulate":
      return { is: "simulation", value: policy.simulate(request.preferences, request.days) };
    case "deliver_now":
      house.waiting = 0;
      return status();
    case "quiet_skip":
      if (!policy.skip()) refuse("not_found", "No quiet hours are in force, and none begin in the next days.");
      house.hint({ event: "preferences" });
      return status();
    case "card_dismiss":
      policy.dismiss(request.subscription, request.kind);
      return status();
    case "sounds":
      return { is: "sounds", value: policy.sounds() };
    case "sound_try":
      if (request.sound.play === "file" && isMissing(request.sound)) refuse("invalid", `${request.sound.path}: this cannot be read (no such file).`);
      return { is: "tried", value: { says: request.sound.play === "none" || request.volume === 0 ? "This is silence." : "pw-play plays it." } };
    case "ledgers":
      return { is: "ledgers", value: policy.ledgers(request.from, request.after ?? 0, request.limit) };
  }
}
