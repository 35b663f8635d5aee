// All words that the windows say, in one place. What the resident says in words comes from there.

import type { ConnectionState } from "../lib/bindings/ConnectionState";
import type { DoctorVerdict } from "../lib/bindings/DoctorVerdict";
import type { HopResult } from "../lib/bindings/HopResult";
import type { ImportFrom } from "../lib/bindings/ImportFrom";
import type { ImportResult } from "../lib/bindings/ImportResult";
import type { Place } from "../lib/bindings/Place";
import type { SecretPlace } from "../lib/bindings/SecretPlace";
import type { Tier } from "../lib/bindings/Tier";
import type { TransportKind } from "../lib/bindings/TransportKind";
import type { Timings } from "../lib/bindings/Timings";
import { count } from "../lib/words/time";
import { policy } from "./policy";

const n = (number: number, one: string, many: string) => `${count(number)} ${number === 1 ? one : many}`;

const places: Record<Place, string> = { all: "All", unread: "Unread", done: "Done", snoozed: policy.snooze.place };

const tiers: Record<Tier, string> = {
  informational: "Informational",
  important: "Important",
  critical: "Critical",
};

const minTiers: Record<Tier, string> = {
  informational: "Every tier",
  important: "Important and critical",
  critical: "Critical only",
};

const connections: Record<ConnectionState | "unknown", string> = {
  idle: "Not connected",
  connecting: "Connecting…",
  live: "Connected",
  waiting: "Waiting to try again",
  offline: "No network",
  stopped: "Needs you",
  unknown: "Not known while Tidings is not running",
};

const transports: Record<TransportKind, string> = {
  websocket: "WebSocket",
  sse: "Server-sent events",
  http_stream: "HTTP stream",
  long_poll: "Long poll",
  poll: "Polling",
};

const secretPlaces: Record<SecretPlace, string> = {
  keyring: "in the desktop’s keyring",
  file: "in a file that only you can read (not encrypted)",
  memory: "for this run only",
};

const hops: Record<HopResult, string> = { ok: "Works", warning: "Works, but", failed: "Failed" };

const verdicts: Record<DoctorVerdict, string> = { good: "Good", fair: "In part", bad: "Not working" };

export const words = {
  policy,
  app: "Tidings",
  inbox: "Inbox",
  settingsTitle: "Settings",
  places,
  tiers,
  minTiers,
  connections,
  transports,
  secretPlaces,
  hops,
  verdicts,

  common: {
    add: "Add",
    cancel: "Cancel",
    close: "Close",
    copied: "Copied",
    copy: "Copy",
    dismiss: "Dismiss",
    details: "Details",
    back: "Back",
    retry: "Try again",
    working: "Working…",
  },

  nav: {
    label: "Places and accounts",
    menu: "Places and accounts",
    accounts: "Accounts",
    settings: "Settings",
    addAccount: "Add an account",
    muted: "muted",
    unread: (number: number) => `${count(number)} unread`,
  },

  list: {
    label: (place: string) => `${place}: notifications`,
    markAllRead: "Mark all read",
    loading: "Loading notifications…",
    gap: (names: string[], from: string, to: string, missing: string): string =>
      `${names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${n(names.length - 3, "other", "others")}` : names.join(", ")}: some may be missing from ${from} to ${to}; ${missing}`,
    newOnes: (number: number) => `${count(number)} new`,
    rowName: (
      unread: boolean,
      tier: string,
      title: string,
      source: string,
      ago: string,
    ): string => `${unread ? "Unread" : "Read"}, ${tier.toLowerCase()}, ${title}, ${source}, ${ago}`,
  },

  selection: {
    label: "Selected notifications",
    count: (number: number) => `${count(number)} selected`,
    all: "All that match are selected",
    allMatching: "Select all that match",
    clear: "Clear selection",
  },

  actions: {
    label: "What to do with this notification",
    done: "Done",
    restore: "Back to inbox",
    read: "Mark read",
    unread: "Mark unread",
    delete: "Delete",
    openLink: "Open link",
  },

  search: {
    label: "Search",
    placeholder: "Search",
    help: "How to search",
    helpTitle: "Searching",
    clear: "Clear search",
    terms: [
      ["disk full", "both words, anywhere"],
      ['"disk full"', "these words, one after the other"],
      ["-test", "without this word"],
      ["from:backups", "from a topic or account of this name"],
      ["is:unread", "or is:read, is:done, is:snoozed"],
      ["before:monday", "or a date, before:2026-11-01; after: likewise"],
      ["p>=4", "priority 4 and 5"],
      ["tag:disk", "with this tag"],
    ] as [string, string][],
    results: (number: number, more: boolean) =>
      more ? `More than ${count(number)} found` : `${count(number)} found`,
  },

  empty: {
    first: "Welcome to Tidings",
    firstText:
      "Tidings keeps what your notification servers send: ntfy.sh, or a server of your own. Add the first account to begin.",
    ever: "Nothing has come yet",
    everText: "Everything is ready. Send the first notification from a terminal:",
    noTopic: "This account listens to no topic yet. Add one in the settings.",
    copyCommand: "Copy command",
    caughtUp: "All read",
    allDone: "Nothing left to do",
    nothingDone: "Nothing is done yet",
    nothingDoneText: "What you mark as done leaves the inbox and is kept here.",
    checked: (time: string) => `Checked at ${time}`,
    noResults: "Nothing found",
    noResultsFor: "Nothing matches",
    nothingOpen: "No notification selected",
    nothingOpenText: (letters: boolean) =>
      letters ? "Choose one with ↑ ↓ or j k and Enter. Press ? for all keys." : "Choose one with ↑ ↓ and Enter.",
  },

  banner: {
    label: "State",
    gone: "Tidings is not running.",
    goneText: "Start it again, and this window goes on by itself. Nothing is lost: servers keep what comes meanwhile.",
    since: (state: "waiting" | "offline", time: string) =>
      state === "offline" ? `No network since ${time}` : `Offline since ${time}`,
    retryIn: (time: string) => (time === "now" ? "trying now" : `retry in ${time}`),
    retryNow: "Retry now",
    owed: (number: number) => `${n(number, "change", "changes")} will be sent then`,
    signInAgain: "Sign in again",
    needsYou: "needs you",
    more: (number: number) => `${n(number, "more account has", "more accounts have")} trouble`,
    settings: "Open settings",
    paused: (until: string | null) => (until ? `Paused until ${until}` : "Paused until you resume"),
    held: (number: number) => (number === 1 ? "1 waits" : `${count(number)} wait`),
    criticalRings: "critical ones ring all the same",
    resume: "Resume",
  },

  close: {
    title: "Tidings stays",
    text: "Closing this window leaves Tidings running in the tray, and it keeps receiving. To stop it, choose Quit in the tray’s menu.",
    ok: "Got it",
  },

  undo: { label: "Undo" },

  announce: {
    critical: (title: string, source: string, number: number) =>
      number > 1 ? `${number} critical notifications, the first: ${title}, ${source}` : `Critical: ${title}, ${source}`,
    arrived: (all: number, important: number) =>
      important > 0 ? `${count(all)} new, ${count(important)} important` : `${count(all)} new`,
  },

  detail: {
    label: "Notification",
    gone: "This notification cannot be shown",
    priority: (number: number) => `priority ${number}`,
    received: (time: string) => `received ${time}`,
    expires: (time: string) => `on the server until ${time}`,
    expired: "no longer on the server",
    picture: (name: string) => `Picture: ${name}`,
    pictureElsewhere: (host: string) =>
      host === "" ? "Pictures are not loaded by themselves." : `The picture is on ${host}. Loading it tells that server when and from where you look at it.`,
    pictureLost: "The picture could not be shown.",
    loadPicture: "Load picture",
    revisions: (number: number) => n(number, "earlier version", "earlier versions"),
    replaced: "replaced",
    why: "Why did this ring, or not?",
    whyNone: "No decision is on record for it.",
    whyDecided: "decided",
    source: "View source",
    confirmTitle: "Send this?",
    send: "Send",
    sent: (status: number) => `Sent; the server answered ${status}.`,
    opened: "Opened.",
    linkTitle: "Open this link?",
    linkText: "It came from the sender of the notification, and leads to:",
    openUrl: "Open",
    copyLink: "Copy",
    body: "Message",
  },

  keys: {
    title: "Keyboard",
    off: "Single letters are switched off in the settings.",
    groups: [
      ["Move", [["↓ ↑ or j k", "Next, previous"], ["Home End", "First, last"], ["g then a, u, s, d", "All, Unread, Snoozed, Done"], ["/ or Ctrl+F", "Search"]]],
      ["Read", [["Enter or o", "Open"], ["Shift+Enter", "Open its link"], ["1–9", "Its action buttons"], ["Esc", "Close, step back"]]],
      ["Act", [["e", "Done"], ["h", "Snooze"], ["Shift+I, Shift+U", "Read, unread"], ["Delete or #", "Delete"], ["z or Ctrl+Z", "Undo"]]],
      ["Select", [["x or Space", "Select"], ["Shift+↑ ↓", "Select more"], ["Ctrl+A", "Select all"]]],
      ["Tidings", [["Ctrl+,", "Settings"], ["?", "This page"]]],
    ] as [string, [string, string][]][],
  },

  settings: {
    section: "Section",
    groups: { servers: "Servers", interruptions: "What may interrupt", app: "Tidings" },
    sections: {
      accounts: "Accounts",
      notifications: "Notifications",
      grid: "What rings",
      quiet: "Quiet hours",
      batching: "Batching and limits",
      rules: "Rules",
      sounds: "Sounds",
      privacy: "Privacy",
      context: "On screen",
      appearance: "Appearance",
      pictures: "Pictures",
      storage: "Storage",
      connections: "Connections",
      about: "Advanced",
    },
  },

  accounts: {
    none: "No account yet. Add the address of a server, and Tidings listens to it.",
    add: "Add account",
    addTitle: "Add an account",
    url: "Server address",
    urlHint: "Paste it as in the browser; a topic at its end is taken over.",
    detect: "Continue",
    detecting: "Looking…",
    detectFailed: "You can fill in the rest and test it when the server is back.",
    fromLink: (host: string) =>
      `This address comes from a link${host === "" ? "" : ` to ${host}`}. Nothing was asked of it yet: go on only if you trust where it came from.`,
    noBrowser: "If no browser opens, open this address in any browser on this computer:",
    unknownKind: "Which kind of server is it?",
    name: "Name",
    nameHint: "How Tidings calls it; the host’s name if empty, with its port if unusual.",
    signIn: "Sign in",
    byBrowser: "Sign in in the browser",
    inBrowser: "Waiting for the browser…",
    saveOptions: "Save settings",
    signInNone: "Without signing in",
    signInBasic: "With user name and password",
    signInToken: "With an access token",
    user: "User name",
    password: "Password",
    token: "Access token",
    secretKept: "unchanged",
    topics: "Topics",
    topicsHint: "Press Enter after each. Tidings listens to all of them.",
    topicRemove: (topic: string) => `Remove ${topic}`,
    allowHttp: "Allow an unencrypted connection",
    allowHttpHint: "Whoever is between this computer and the server can read everything, the password too.",
    test: "Test",
    testing: "Testing…",
    testOk: "Everything works.",
    testUnsure: "Nothing failed, but there is a warning.",
    testFailed: "It does not work yet.",
    hops: "Test, step by step",
    save: "Add account",
    edit: (name: string) => `Edit ${name}`,
    editShort: "Edit",
    close: "Close",
    remove: "Remove account…",
    removeTitle: (name: string) => `Remove ${name}?`,
    removeText: "Its notifications and its password are removed from this computer. The server keeps what it has.",
    removeYes: "Remove account",
    saveSignIn: "Save sign-in",
    saveUrl: "Save address",
    transport: "Connection",
    ladder: "Automatic: the best that works",
    minTier: "What may ring of this account",
    mute: "Mute: keep everything, ring never",
    enabled: "Connected: receive notifications",
    secretPlace: (place: string) => `What you type here is kept ${place}.`,
    since: (time: string) => `since\u00a0${time}`,
    over: (transport: string) => `over ${transport}`,
    quota: (says: string, time: string) => `${says} (as of ${time})`,
    subscriptions: "Topics",
    subscribeAgain: "Subscribe again",
    subscribeAgainTo: (topic: string) => `Subscribe to ${topic} again`,
    addTopic: "Add a topic",
    subscriptionName: (topic: string) => `Name of ${topic}`,
    subscriptionMute: "Mute",
    subscriptionTier: (topic: string) => `What may ring of ${topic}`,
    removeTopic: (topic: string) => `Leave ${topic}`,
    removeTopicTitle: (topic: string) => `Leave ${topic}?`,
    removeTopicText: "Tidings listens to this topic no longer.",
    forget: "Delete its notifications here too",
    leave: "Leave topic",
    unbroken: (time: string) => `Unbroken since ${time}`,
    neverConnected: "Not connected yet",
    gap: (from: string, to: string, filled: number, missing: string) =>
      `Away ${from} – ${to}: ${filled === 0 ? "nothing was missed that the server still had" : `${n(filled, "notification", "notifications")} fetched afterwards`}${missing === "" ? "" : `; ${missing}`}`,
    gaps: (number: number) => n(number, "gap", "gaps"),
  },

  headers: {
    title: "Extra headers",
    hint: "Sent with every request, for a proxy in front of the server that asks for them. Most servers need none. Values are kept like the password.",
    name: (row: number) => `Name of header ${row}`,
    namePlaceholder: "X-Name",
    nameTitle: "Letters, digits and hyphens, without a colon",
    value: (row: number) => `Value of header ${row}`,
    valuePlaceholder: "Value",
    remove: (header: string) => `Remove header ${header}`,
    add: "Add a header",
    save: "Save headers",
  },

  importing: {
    open: "Import from another client…",
    title: "Import from another client",
    file: "Its file",
    fileHint: "client.yml of the ntfy command line, a backup of the ntfy app for Android, or gotify-tray.conf. Passwords in it go to the keyring and nowhere else.",
    unreadable: (name: string) => `${name} cannot be read.`,
    clients: { ntfy: "the ntfy command line", "ntfy-android": "the ntfy app for Android", "gotify-tray": "Gotify Tray" } satisfies Record<ImportFrom, string>,
    would: (client: string) => `These are the settings of ${client}. Nothing is changed yet.`,
    done: "This came of it:",
    accounts: "Accounts",
    as: (user: string) => `As ${user}`,
    known: "there already",
    plans: { added: "will be added", extended: "is there, gets the new topics", unchanged: "is there already", failed: "cannot be added" } satisfies Record<ImportResult, string>,
    results: { added: "added", extended: "got the new topics", unchanged: "was there already", failed: "could not be added" } satisfies Record<ImportResult, string>,
    leftOut: "Not taken over",
    save: "Import",
  },

  profile: {
    title: "Profile",
    hint: "TOML that describes the server; it takes the preset’s place. Empty: the preset, or the address is looked at.",
    goTo: (line: number) => `Go to line ${line}`,
    copyPreset: "Change a copy of the preset",
    file: "From a file:",
    preview: "What becomes of an event",
    sample: "Event",
    sampleHint: "As the server sends it. Empty: the last one that this account received.",
    noTitle: "Without a title",
    part: "Part",
    value: "Value",
    from: "From",
    usual: "not in the event",
  },

  keyring: {
    title: "Where should the password go?",
    again: "Try the keyring again",
    againHint: "Unlock or start it first, for example by signing in to the desktop again.",
    memory: "Keep it for this run only",
    memoryHint: "Tidings asks again after the next start.",
    file: "Save it in a file",
    fileHint: "Not encrypted; only your user may read it. Whoever gets at your files gets the password.",
  },

  notifications: {
    pause: "Pause",
    pauseHint: "Nothing rings meanwhile; everything still comes into the inbox, and what waited rings as one when the pause ends.",
    pauses: [
      [30, "30 minutes"],
      [60, "1 hour"],
      [120, "2 hours"],
    ] as [number, string][],
    untilTomorrow: "Until tomorrow",
    untilResumed: "Until I resume",
    criticalRings: "Critical ones ring all the same",
    test: "Test notification",
    testHint: "Raises one toast, so that you see how they look here.",
    testSend: "Send a test",
    testSent: "Sent. If you saw no toast, look below.",
    doctor: "What works on this desktop",
    doctorAgain: "Look again",
    looking: "Looking…",
  },

  appearance: {
    theme: "Colours",
    themes: { system: "As the desktop", light: "Light", dark: "Dark" },
  },

  way: {
    title: "Network",
    proxy: "Proxy",
    proxyHint: "http://, https://, socks5:// or socks5h://, with its port. “direct” goes past every proxy.",
    proxyUsual: "As the system says",
    proxySignIn: "User name and password for the proxy",
    proxySignInHint: "With a colon between them. Kept with the account’s password.",
    authorities: "File of certificate authorities",
    authoritiesHint: "PEM. Trusted for this account only, besides the system’s.",
    pin: "Pinned certificate",
    pinHint: "The SHA-256 of the only certificate that is accepted. The test shows the server’s, to be compared with what its owner says.",
    certificate: "File with your client certificate",
    certificateHint: "PKCS#12 (.p12), or PEM with the key in it.",
    certificatePassword: "Password of that file",
    certificatePasswordHint: "Kept with the account’s password.",
    save: "Save network",
    untrusted: "Nobody vouches for this certificate. If its SHA-256 is what the server’s owner says, you can trust it:",
    trust: "Trust this certificate",
  },

  timings: {
    intro: "How patient connections are, in seconds. Change this only where a network asks for it; open connections begin anew.",
    fields: {
      connect: ["Time to connect", "Name, TCP and TLS together."],
      headers: ["Time to answer", "Until a server has begun its answer."],
      ping_every: ["Ping every", "WebSocket only. Some routers forget what is quiet for longer."],
      pong_within: ["Answer to a ping within", "After that the connection is given up."],
      backoff_least: ["Least wait before trying again", "At least 0.1 s."],
      backoff_early: ["Longest wait in the first minute", "A random time up to this."],
      backoff_most: ["Longest wait later", "The wait doubles until it is this long."],
      keepalive_margin: ["Patience after a missed keepalive", "Added to the keepalive of the server."],
      silence: ["Open a quiet stream anew after", "Where the server promises no keepalive."],
      poll_every: ["Ask every", "Where nothing can be held open."],
    } as Record<keyof Timings, [string, string]>,
    invalid: "Type a number of seconds from 0.1 to 86,400.",
    reset: "Set all back",
  },

  pictures: {
    load: "Load icons and pictures",
    choices: [
      ["own_servers", "Only from my servers"],
      ["everywhere", "From everywhere"],
      ["never", "Never"],
    ] as ["own_servers" | "everywhere" | "never", string][],
    hints: {
      own_servers: "Each account’s own server is asked, and nobody else. A picture that is elsewhere can be loaded one by one.",
      everywhere: "Whoever sends you something can have any server on the internet asked, which then learns when and from where you look at it.",
      never: "No server is asked for any picture, unless you load it yourself.",
    },
  },

  storage: {
    days: "Keep notifications for",
    daysHint: "Older ones are removed; unread critical ones stay.",
    dayChoices: [
      [7, "7 days"],
      [30, "30 days"],
      [90, "90 days"],
      [365, "1 year"],
      [0, "Ever"],
    ] as [number, string][],
    otherDays: (number: number) => n(number, "day", "days"),
    count: "At most, per account",
    countHint: "The oldest go first.",
    invalidCount: "Type a number from 100 to 1,000,000.",
    pictures: "Pictures",
    picturesTake: (files: number, bytes: string) => (files === 0 ? "None are kept." : `${n(files, "file", "files")}, ${bytes}. At most 500 MB are kept; what was not looked at for the longest goes first.`),
    empty: "Empty",
    emptyPictures: "Empty: remove all kept pictures",
  },

  document: {
    title: "Preferences as a document",
    hint: "All that is set here, without passwords. On another computer, accounts and topics are found again by what they are called.",
    copy: "Copy",
    copied: "The document is on the clipboard. Paste it into a file.",
    notCopied: "It could not be copied. From a terminal: tidings config export preferences.json",
    file: "Take over from a file",
    fileHint: "What would change is shown first.",
    would: (number: number) => (number === 0 ? "Everything in it is so already." : `${n(number, "value", "values")} would change.`),
    changes: "What would change",
    nothing: "nothing",
    take: "Take over",
    takeRest: "Take over what can be read",
    taken: (number: number) => `${n(number, "value", "values")} changed.`,
  },

  about: {
    startAtLogin: "Start Tidings when I sign in",
    startAtLoginHint: "Hidden in the tray; no window opens.",
    letters: "Single letters are shortcuts in the inbox",
    lettersHint: "j, k, e, x and the like. Ctrl combinations and the arrow keys always work.",
    tellServers: "Tell servers what I read and delete",
    tellServersHint: "So that your other devices know it too, where the server can pass it on.",
    version: (version: string) => `Tidings ${version}`,
    about: "One inbox for every notification server. Free software under the MIT licence.",
  },
};
