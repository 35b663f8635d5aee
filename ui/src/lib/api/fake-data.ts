// What the fake resident holds: a believable week on two servers.

import type { AccountView } from "../bindings/AccountView";
import type { ConnectionState } from "../bindings/ConnectionState";
import type { ConnectionView } from "../bindings/ConnectionView";
import type { Detail } from "../bindings/Detail";
import type { DoctorItem } from "../bindings/DoctorItem";
import type { KindView } from "../bindings/KindView";
import type { LedgerEntry } from "../bindings/LedgerEntry";
import type { Row } from "../bindings/Row";
import type { SubscriptionView } from "../bindings/SubscriptionView";
import type { TestReport } from "../bindings/TestReport";
import type { Tier } from "../bindings/Tier";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A small picture. */
export const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const iso = (time: number) => new Date(time).toISOString();

export function connectionOf(
  account: Pick<AccountView, "id" | "name">,
  state: ConnectionState,
  since: number,
): ConnectionView {
  return {
    account: account.id,
    account_name: account.name,
    state,
    transport: state === "live" ? "websocket" : null,
    since: iso(since),
    retry_at: null,
    problem: "",
    quota: null,
  };
}

export function account(id: number, name: string, url: string, now: number): AccountView {
  return {
    id,
    kind: "ntfy",
    name,
    url,
    sign_in: { by: "basic", user: "ada" },
    options: "",
    way: { proxy: "", authorities: "", pin: "", certificate: "" },
    headers: id === 2 ? ["CF-Access-Client-Id"] : [],
    secrets: "keyring",
    transport: null,
    transports: ["websocket", "http_stream", "sse", "poll"],
    allow_http: false,
    muted: false,
    min_tier: "informational",
    disabled: false,
    connection: connectionOf({ id, name }, "live", now - 5 * HOUR),
    subscriptions: [],
  };
}

export function subscription(id: number, topic: string, name: string, now: number): SubscriptionView {
  return {
    id,
    topic,
    name,
    muted: topic === "chat",
    min_tier: "informational",
    unread: 0,
    problem: "",
    off: false,
    continuity: {
      since: iso(now - 3 * DAY),
      gaps:
        topic === "backups"
          ? [
              { from: iso(now - DAY), to: iso(now - DAY + 21 * MINUTE), filled: 4, missing: "" },
              { from: iso(now - 3 * DAY - 15 * HOUR), to: iso(now - 3 * DAY), filled: 12, missing: "the server no longer held all of it" },
            ]
          : [],
    },
  };
}

const SOURCES: Record<number, [topic: string, name: string, account: number, accountName: string]> = {
  1: ["backups", "Backups", 1, "home"],
  2: ["doorbell", "Door bell", 1, "home"],
  3: ["nas-alerts", "nas-alerts", 1, "home"],
  4: ["builds", "Builds", 2, "work"],
  5: ["chat", "Team chat", 2, "work"],
};

function row(id: number, source: number, age: number, now: number, part: Partial<Row>): Row {
  const [topic, name, accountId, accountName] = SOURCES[source] ?? ["?", "?", 1, "home"];
  return {
    id,
    account: accountId,
    account_name: accountName,
    subscription: source,
    subscription_name: name,
    topic,
    type: "",
    title: name,
    preview: "",
    emoji: "",
    tags: [],
    tier: "important",
    priority: 3,
    created_at: iso(now - age),
    received_at: iso(now - age + 300),
    seen: false,
    read: false,
    done: false,
    back: null,
    has_url: false,
    icon: source === 4,
    actions: 0,
    revisions: 0,
    ...part,
  };
}

const BACKUP_HTML = `<p>Nightly run of <strong>atlas</strong> finished, with <em>two</em> warnings.</p>
<h3>Result</h3>
<table><thead><tr><th>Share</th><th>Size</th><th>State</th></tr></thead><tbody><tr><td>home</td><td>412 GB</td><td>ok</td></tr><tr><td>photos</td><td>1.2 TB</td><td>ok, 2 files skipped</td></tr></tbody></table>
<ul><li><code>IMG_2041.cr3</code>: file changed while it was read</li><li><code>IMG_2042.cr3</code>: file changed while it was read</li></ul>
<blockquote><p>They are tried again tonight.</p></blockquote>
<pre><code>restic check --read-data-subset=1/30
no errors were found
</code></pre>
<p>More in <a href="https://backup.example.org/runs/881/log" rel="noopener noreferrer">the log of this run</a>.</p>`;

/** Notifications of every kind, newest first. */
export function sampleDetails(now: number): Partial<Detail>[] {
  const at = (id: number, source: number, age: number, part: Partial<Row>, rest: Partial<Detail> = {}) => ({
    ...rest,
    row: row(id, source, age, now, part),
  });
  return [
    at(60, 3, 2 * MINUTE, { title: "Disk full", preview: "/dev/sda1 on atlas is at 98 %. Writes will fail in about 20 minutes.", tier: "critical", priority: 5, emoji: "🚨", tags: ["atlas"], actions: 2, has_url: true }, {
      body: "/dev/sda1 on atlas is at 98 %. Writes will fail in about 20 minutes.\n\nLargest folders:\n  /var/lib/docker   214 GB\n  /var/log           38 GB",
      url: "https://nas.example.org/storage",
      actions: [
        { kind: "http", label: "Run the clean-up", says: "Sends POST to https://nas.example.org/hooks/cleanup with the body {\"share\":\"var\"}" },
        { kind: "open", label: "Dashboard", says: "Opens https://nas.example.org/storage" },
      ],
    }),
    at(59, 4, 6 * MINUTE, { title: "Build #4711 failed on main", preview: "3 of 212 tests failed: connection::backoff, store::retention, policy::pause", tier: "important", priority: 4, emoji: "❌", tags: ["main"], type: "build.failed", has_url: true, actions: 1 }, {
      body: "3 of 212 tests failed:\n\n  connection::backoff\n  store::retention\n  policy::pause\n\nFirst bad commit: 9f2c11e “Cap the wait at five minutes”",
      url: "https://ci.example.com/builds/4711",
      actions: [{ kind: "open", label: "Open the log", says: "Opens https://ci.example.com/builds/4711/log" }],
    }),
    at(58, 2, 11 * MINUTE, { title: "Someone is at the door", preview: "Front door, motion and bell", tier: "important", priority: 4, emoji: "🔔", read: true, seen: true }, {
      attachment: { name: "front-door-1041.jpg", url: "https://ntfy.example.org/file/Xy12.jpg", media_type: "image/jpeg", size: 184_320, expires_at: iso(now + 3 * HOUR), preview: "ready" },
    }),
    at(57, 1, 3 * HOUR, { title: "Backup finished with 2 warnings", preview: "Nightly run of atlas finished, with two warnings. Result: home 412 GB ok, photos 1.2 TB ok, 2 files skipped", tier: "informational", priority: 2, emoji: "💾", has_url: true, revisions: 2 }, {
      format: "markdown",
      html: BACKUP_HTML,
      url: "https://backup.example.org/runs/881",
      revisions: [
        { replaced_at: iso(now - 3 * HOUR), title: "Backup running, 74 %", body: "photos: 0.9 of 1.2 TB" },
        { replaced_at: iso(now - 4 * HOUR), title: "Backup running, 12 %", body: "home: 50 of 412 GB" },
      ],
    }),
    at(56, 5, 4 * HOUR, { title: "Grace: review of the retention change?", preview: "When you have ten minutes. It is small, I promise.", tier: "important", priority: 3, emoji: "💬" }),
    at(55, 5, 4 * HOUR + 5 * MINUTE, { title: "Linus mentioned you in #release", preview: "@ada can we cut 0.1 on Thursday, or does the tray still need love on GNOME?", tier: "important", priority: 3, read: true, seen: true }),
    at(54, 4, 6 * HOUR, { title: "Your sign-in code", preview: "482 913 is valid for ten minutes", tier: "important", priority: 4, emoji: "🔑", actions: 1, read: true, seen: true }, {
      actions: [{ kind: "copy", label: "Copy the code", says: "Copies 482 913" }, { kind: "unsupported", label: "Broadcast", says: "Android only; this desktop cannot do it" }],
    }),
    at(53, 3, 9 * HOUR, { title: "SMART: sdc has 8 pending sectors", preview: "Was 3 yesterday. Plan a replacement.", tier: "important", priority: 4, emoji: "⚠️", tags: ["sdc", "smart"] }),
    at(52, 4, 20 * HOUR, { title: "Deployed 2.14.0 to production", preview: "12 services, no rollbacks, 4 min 10 s", tier: "informational", priority: 2, emoji: "🚀", read: true, seen: true, type: "deploy" }),
    at(51, 1, 27 * HOUR, { title: "تم النسخ الاحتياطي بنجاح", preview: "اكتملت نسخة ليلية من «أطلس» بدون أخطاء (412 GB)", tier: "informational", priority: 1, read: true, seen: true }),
    at(50, 2, 2 * DAY, { title: "Parcel left with the neighbour at number 14, please collect it before Saturday noon because they will be away afterwards", preview: "DHL 00340434161094042557", tier: "informational", priority: 2, emoji: "📦", read: true, seen: true }),
    ...Array.from({ length: 12 }, (_, i) =>
      at(49 - i, (i % 5) + 1, (3 + i) * DAY, { title: ["Backup finished", "Motion in the garden", "Scrub finished", "Build passed", "Standup in 10 minutes"][i % 5] ?? "", preview: ["412 GB in 2 h 11 min", "Camera 2", "0 errors", "212 tests, 3 min 2 s", "Room Ada, or the usual link"][i % 5] ?? "", tier: "informational", priority: 2, read: true, seen: true }),
    ),
    ...Array.from({ length: 4 }, (_, i) =>
      at(20 - i, (i % 5) + 1, (5 + i) * DAY, { title: ["Certificate renewed", "Fan speed back to normal", "Update installed", "Invoice sent"][i] ?? "", preview: "Handled", tier: "important", read: true, seen: true, done: true }),
    ),
  ];
}

/** Notifications without end. */
export function manyRows(n: number, now: number): Row[] {
  const tiers: Tier[] = ["informational", "important", "informational", "important", "critical"];
  return Array.from({ length: n }, (_, i) => {
    const source = (i % 5) + 1;
    const tier = i % 97 === 3 ? "critical" : (tiers[i % 4] ?? "important");
    return row(n - i, source, i * 7 * MINUTE + MINUTE, now, {
      title: `Event ${n - i} on ${["atlas", "vega", "orion"][i % 3]}`,
      preview: `Number ${n - i} of ${n}, for the feel of a long list`,
      tier,
      priority: tier === "critical" ? 5 : tier === "important" ? 3 : 2,
      read: i % 3 !== 0,
      seen: i % 3 !== 0,
    });
  });
}

/** One more, just now. */
export function newcomer(id: number, now: number): Row {
  const kinds: [string, string, Tier, number][] = [
    ["Build passed", "212 tests, 3 min 2 s", "informational", 2],
    ["Someone is at the door", "Front door", "important", 4],
    ["CPU temperature 91 °C", "atlas", "critical", 5],
  ];
  const [title, preview, tier, priority] = kinds[id % 3] ?? ["", "", "important", 3];
  return row(id, (id % 5) + 1, 0, now, { title, preview, tier, priority });
}

export const KINDS: KindView[] = [
  {
    kind: "ntfy",
    name: "ntfy",
    fields: [
      { name: "url", label: "Address", hint: "As in the browser; a topic at its end is taken over.", kind: "text", choices: [] },
      { name: "user", label: "User name", hint: "", kind: "text", choices: [] },
      { name: "secret", label: "Password", hint: "", kind: "secret", choices: [] },
      { name: "token", label: "Access token", hint: "Starts with tk_; made in the server’s web page under Account.", kind: "secret", choices: [] },
      { name: "topics", label: "Topics", hint: "What this account listens to.", kind: "text", choices: [] },
      {
        name: "subscriptions",
        label: "Subscriptions of my account",
        hint: "What you add, name or remove here is changed on the server too, and the other way round.",
        kind: "choice",
        choices: [
          ["in_step", "Keep in step with the server"],
          ["apart", "Only on this computer"],
        ],
      },
    ],
    transports: ["websocket", "http_stream", "sse", "poll"],
    mirrors: true,
    sends: true,
    browser: false,
  },
  {
    kind: "custom",
    name: "Custom",
    fields: [
      { name: "url", label: "Address", hint: "A stream, a WebSocket, or the server that the preset or profile is for.", kind: "text", choices: [] },
      {
        name: "preset",
        label: "Preset",
        hint: "A profile that comes with Tidings.",
        kind: "choice",
        choices: [
          ["", "None"],
          ["mastodon", "Mastodon"],
        ],
      },
      { name: "token", label: "Token or key", hint: "Sent as the profile says.", kind: "secret", choices: [] },
      { name: "profile", label: "Profile", hint: "TOML; takes the preset’s place.", kind: "lines", choices: [] },
    ],
    transports: ["websocket", "sse", "poll"],
    mirrors: true,
    sends: false,
    browser: false,
  },
];

export const DOCTOR: DoctorItem[] = [
  { name: "Tray", verdict: "good", says: "The desktop shows tray icons.", advice: "" },
  { name: "Notifications", verdict: "fair", says: "dunst 1.9 shows them, without inline replies.", advice: "Nothing to do: Tidings needs no replies." },
  { name: "Keyring", verdict: "bad", says: "No keyring is running on this desktop.", advice: "Install and unlock one, for example gnome-keyring or KWallet, then sign in again." },
  { name: "Network", verdict: "good", says: "Online.", advice: "" },
  { name: "Database", verdict: "good", says: "23 notifications, 0.4 MB, whole.", advice: "" },
];

export function LEDGER(now: number): LedgerEntry[] {
  return [
    {
      at: iso(now - 2 * MINUTE),
      verdict: "Toast at once",
      progress: "Shown two minutes ago",
      lines: [
        { rule: "Known", decided: false, says: "It is new here." },
        { rule: "Over", decided: false, says: "It has not expired and was read nowhere." },
        { rule: "Muted", decided: false, says: "Neither the account, the topic nor the type is muted." },
        { rule: "Minimum tier", decided: false, says: "Critical is not below the account’s minimum, informational." },
        { rule: "Pause", decided: false, says: "No pause is in force." },
        { rule: "Rate limit", decided: false, says: "1 of 20 critical toasts this minute." },
        { rule: "Toast", decided: true, says: "Nothing spoke against it." },
      ],
    },
  ];
}

/** A test of a server: works with the password “secret” or any token, or none at all. */
export function hopsFor(url: string, secret: string | null, pin: string): TestReport {
  const { host, protocol } = new URL(/^https?:/.test(url) ? url : `https://${url}`);
  const hops: TestReport["hops"] = [
    { name: "DNS", result: "ok", says: `${host} is 203.0.113.7.`, millis: 12, certificate: "" },
    { name: "TCP", result: "ok", says: "Connected.", millis: 18, certificate: "" },
    protocol === "https:"
      ? { name: "TLS", result: "ok", says: "TLS 1.3, certificate by Let’s Encrypt, valid until 3 February.", millis: 31, certificate: "" }
      : { name: "TLS", result: "warning", says: "Not encrypted: whoever is between can read along.", millis: 0, certificate: "" },
    { name: "HTTP", result: "ok", says: "ntfy 2.14 answers.", millis: 24, certificate: "" },
  ];
  if (host.includes("self-signed") && pin === "") {
    const says = "Its certificate has an unknown issuer, or is self-signed.";
    return { hops: [...hops.slice(0, 2), { name: "TLS", result: "failed", says, millis: 28, certificate: "ab".repeat(32) }], ok: false };
  }
  if (secret === "wrong") {
    hops.push({ name: "Sign-in", result: "failed", says: "The server refused the password. Check the user name and type the password again.", millis: 40, certificate: "" });
    return { hops, ok: false };
  }
  hops.push({ name: "Sign-in", result: "ok", says: secret ? "Accepted." : "Not needed.", millis: 40, certificate: "" });
  hops.push({ name: "Topic backups", result: "ok", says: "May be read; a WebSocket stays open.", millis: 22, certificate: "" });
  return { hops, ok: true };
}
