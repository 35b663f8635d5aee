// What the fake resident makes of another client's settings, and of a profile.

import type { AccountView } from "../bindings/AccountView";
import type { ErrorView } from "../bindings/ErrorView";
import type { ImportedTopic } from "../bindings/ImportedTopic";
import type { ImportReport } from "../bindings/ImportReport";
import type { Previewed } from "../bindings/Previewed";
import type { Request } from "../bindings/Request";
import { USUAL_WAY } from "../words/way";

type Asked<D extends Request["do"]> = Extract<Request, { do: D }>;

const topic = (name: string, part: Partial<ImportedTopic> = {}): ImportedTopic => ({
  topic: name,
  name: "",
  muted: false,
  min_tier: "informational",
  known: false,
  ...part,
});

/** A text with `subscribe:` in it is a `client.yml`. */
export function imported(asked: Asked<"import">, add: (draft: Asked<"account_add">) => AccountView, accounts: AccountView[]): ImportReport {
  if (!asked.text.includes("subscribe:")) {
    const error: ErrorView = { code: "invalid", message: "This is no file that Tidings can read.", detail: "" };
    throw error;
  }
  const known = accounts.find((one) => one.url === "https://push.example.com/") ?? accounts.find((one) => one.url === "https://push.example.com");
  const report: ImportReport = {
    from: "ntfy",
    accounts: [
      {
        account: null,
        name: "ntfy.sh",
        kind: "ntfy",
        url: "https://ntfy.sh/",
        sign_in: { by: "basic", user: "ada" },
        topics: [topic("alerts", { name: "Alerts" }), topic("chat", { muted: true })],
        result: "added",
        error: null,
      },
      {
        account: known?.id ?? null,
        name: known?.name ?? "push.example.com",
        kind: "ntfy",
        url: "https://push.example.com/",
        sign_in: { by: "none" },
        topics: [topic("builds", { known: known !== undefined }), topic("deploys")],
        result: known ? "extended" : "added",
        error: null,
      },
    ],
    left_out: ["Commands that ntfy runs for a message are left out: Tidings runs no programs."],
  };
  if (asked.dry_run) return report;
  for (const one of report.accounts) {
    if (one.result !== "added") continue;
    one.account = add({
      do: "account_add",
      url: one.url,
      kind: one.kind,
      name: one.name,
      topics: one.topics.map((topic) => topic.topic),
      names: [],
      sign_in: one.sign_in,
      secret: null,
      secrets: asked.secrets,
      transport: null,
      allow_http: false,
      headers: [],
      options: "",
      way: { ...USUAL_WAY },
      proxy_sign_in: null,
      certificate_password: null,
    }).id;
  }
  return report;
}

const SAMPLE = '{"what":"Build failed","body":"main, 3 tests"}';
const PRESET = '# Mastodon\n[map]\ntitle = "/account/display_name"\n';

/** Understands `title = "/pointer"`; a line with `nonsense` is wrong. */
export function previewed(asked: Asked<"preview">): Previewed {
  const options = JSON.parse(asked.options || "{}") as { profile?: string; preset?: string };
  const profile = options.profile || (options.preset ? PRESET : "");
  const sample = asked.sample || (asked.account === null ? "" : SAMPLE);
  const nothing = { sample, profile, line: null, parts: [], title: "", body: "", format: null, tier: null };
  const wrong = profile.split("\n").findIndex((line) => line.includes("nonsense"));
  if (wrong >= 0) return { ...nothing, problem: `The profile cannot be read: line ${wrong + 1}: unknown field.`, line: wrong + 1 };
  if (sample.trim() === "") return { ...nothing, problem: "There is no event yet to try this on." };
  const event = JSON.parse(sample) as Record<string, string>;
  const from = /title = "\/([^"]*)"/.exec(profile)?.[1] ?? "title";
  return {
    ...nothing,
    problem: "",
    parts: [
      { name: "title", value: event[from] ?? "", from: `/${from}` },
      { name: "body", value: event["body"] ?? "", from: "/body" },
      { name: "priority", value: "3", from: "" },
    ],
    title: event[from] ?? "",
    body: event["body"] ?? "",
    format: "plain",
    tier: "important",
  };
}
