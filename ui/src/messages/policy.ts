// Words about what may interrupt: the policy's settings pages, its simulator, its strip in the inbox, snoozing.

import type { Advice } from "../lib/bindings/Advice";
import type { BackendKind } from "../lib/bindings/BackendKind";
import type { Badge } from "../lib/bindings/Badge";
import type { Batch } from "../lib/bindings/Batch";
import type { Contexts } from "../lib/bindings/Contexts";
import type { Day } from "../lib/bindings/Day";
import type { How } from "../lib/bindings/How";
import type { Hush } from "../lib/bindings/Hush";
import type { Privacy } from "../lib/bindings/Privacy";
import type { Sound } from "../lib/bindings/Sound";
import type { Tier } from "../lib/bindings/Tier";
import type { ToastChoice } from "../lib/bindings/ToastChoice";
import { count } from "../lib/words/time";

const n = (number: number, one: string, many: string) => `${count(number)} ${number === 1 ? one : many}`;

const toasts: Record<ToastChoice, string> = { on: "On", digest: "Digest", off: "Off" };
const badges: Record<Badge, string> = { on: "Counts", off: "Does not count" };
const privacies: Record<Privacy, string> = { full: "All of it", title_only: "Title only", count_only: "Only that something came" };
const hushes: Record<Hush, string> = { nothing: "Ring as usual", hide: "Ring, hide the content", hold: "Wait until it is over" };
const hows: Record<How, string> = { literal: "contains", glob: "is like (* and ?)", regex: "matches the regular expression" };
const tiers: Record<Tier, string> = { informational: "Informational", important: "Important", critical: "Critical" };
const minTiers: Record<Tier, string> = { informational: "Every tier", important: "Important and critical", critical: "Critical only" };
const days: Record<Day, [short: string, long: string]> = {
  mon: ["Mon", "Monday"],
  tue: ["Tue", "Tuesday"],
  wed: ["Wed", "Wednesday"],
  thu: ["Thu", "Thursday"],
  fri: ["Fri", "Friday"],
  sat: ["Sat", "Saturday"],
  sun: ["Sun", "Sunday"],
};
const backends: Record<BackendKind, string> = {
  ntfy: "ntfy",
  gotify: "Gotify",
  mercure: "Mercure",
  pusher: "Pusher",
  nchan: "Nchan",
  custom: "Custom servers",
};
type Around = Exclude<keyof Contexts, "ring_while_looking" | "hidden">;
const around: Record<Around, [title: string, hint: string]> = {
  locked: ["Session locked", "Whoever walks by can read what is shown."],
  presenting: ["Presenting", "An application keeps the screen awake: a presentation, a call, a film."],
  full_screen: ["Full screen", "The window you work in fills the screen: a film, a game, a call."],
  screen_shared: ["Screen shared", "Others see this screen, or it is recorded."],
  do_not_disturb: ["Do not disturb", "The desktop’s own switch is on. The desktop keeps toasts off the screen while it is."],
};

/** "30 s", "5 min", "1 h 30 min". */
function span(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const parts = [hours > 0 ? `${hours} h` : "", minutes > 0 ? `${minutes} min` : "", rest > 0 ? `${rest} s` : ""];
  return parts.filter((part) => part !== "").join(" ") || "0 s";
}

function batch(value: Batch): string {
  switch (value.how) {
    case "off":
      return "Each by itself";
    case "leading":
      return `Folded for ${span(value.seconds)}`;
    case "trailing":
      return `Together after ${span(value.seconds)}`;
    case "daily":
      return `Daily at ${value.at}`;
  }
}

function sound(value: Sound): string {
  switch (value.play) {
    case "default":
      return "Desktop";
    case "none":
      return "None";
    case "named":
      return value.name === "" ? "By name" : value.name;
    case "file":
      return value.path === "" ? "A file" : (value.path.split(/[/\\]/).at(-1) ?? value.path);
  }
}

/** A time within a sentence: "until Mon 08:00". */
const until = (time: string) => `until ${time}`;

export const policy = {
  span,
  until,
  problems: "What does not work",
  problemIn: (page: string, says: string) => `${page}: ${says}`,
  problemsHint: "Nothing is silenced by what does not work.",
  failed: "The change could not be kept.",
  undo: "Undo",
  undone: (says: string) => `Undone: ${says}`,
  left: (topic: string) => `Left ${topic}`,
  changed: (what: string) => `Changed: ${what}`,
  reset: "Back to the default",
  inherit: "Inherited",
  never: "Never",
  seconds: "seconds",
  minutes: "minutes",
  hours: "hours",
  invalid: (least: number, most: number, unit: string) => `Type a number from ${count(least)} to ${count(most)}${unit === "" ? "" : ` (${unit})`}.`,
  toasts,
  privacies,
  days,

  forHowLong: "For how long",
  forGood: "For good",
  anHour: "1 hour",
  tomorrow: "Until tomorrow morning",
  nextWeek: "Until Monday morning",
  pick: "Until…",
  pickTime: "Until when",
  pastTime: "Choose a time that is still to come.",

  simulator: {
    title: (number: number) => `Last ${n(number, "day", "days")}`,
    counting: "Counting…",
    sum: (all: number, toasts: number, digests: number) =>
      `${n(all, "notification", "notifications")} → ${n(toasts, "toast", "toasts")}, ${n(digests, "digest", "digests")}`,
    before: (all: number) => `before: ${count(all)}`,
    beforeHint: "What was shown with the preferences as they were, toasts and digests together",
    same: "Nothing would be different.",
    held: (number: number) => `${count(number)} waited for something`,
    silent: (number: number) => `${count(number)} came without any toast`,
    chart: "Toasts and digests by day",
    chartHours: "Toasts and digests by hour of the day",
    byDay: "By day",
    byHour: "By hour",
    table: "As a table",
    day: "Day",
    hour: "Hour",
    now: "Now",
    then: "Before",
    differences: (number: number) => n(number, "notification is treated otherwise", "notifications are treated otherwise"),
    listed: (number: number) => `The newest ${count(number)} are listed.`,
    becomes: "now",
    since: (time: string) => `Compared with the preferences as they were at ${time}.`,
    again: "Compare from here on",
    failed: "The last days could not be looked at.",
  },

  grid: {
    intro: "Each row inherits from the one above it, and at last from its tier. What is grey is inherited; what is set here can be given back with one click.",
    label: "What rings",
    row: "Account, topic, type",
    noType: "(no type)",
    columns: {
      toast: "Toast",
      mute: "Mute",
      sound: "Sound",
      badge: "Badge",
      privacy: "Shows",
      batch: "Batching",
      more: "More",
    },
    none: "There is no account yet. Add one, and what it sends appears here by itself.",
    keys: "Arrow keys move, Enter changes, Delete goes back to what is inherited, → and ← open and close a row.",
    from: (name: string) => `from ${name}`,
    fromTier: "from its tier",
    fromDefault: "default",
    muted: "Muted",
    notMuted: "Rings",
    toInherited: (column: string, name: string) => `${column} of ${name}: back to what is inherited`,
    inherits: (value: string, from: string) => `Inherited: ${value}, ${from}`,
    cell: (column: string, name: string) => `${column}: ${name}`,
    changed: (column: string, name: string, value: string) => `${column} of ${name}: ${value}`,
    inheritedAgain: (column: string, name: string) => `${column} of ${name}: inherited again`,
    locked: "Locked",
    expand: (name: string) => `Show what is in ${name}`,
    collapse: (name: string) => `Hide what is in ${name}`,
    unread: (number: number) => `${count(number)} unread`,
    came: (came: number, opened: number) => `${count(came)} came, ${count(opened)} opened`,
    muteChoices: { no: "Rings", hour: "Muted for 1 hour", tomorrow: "Muted until tomorrow morning", good: "Muted for good" },
    advice: {
      silent: ["Silent for 90 days", "Leave"],
      never_opened: ["Never opened", "Make it a digest"],
    } as Record<Advice, [string, string]>,
    adviceOf: (advice: string, name: string) => `${advice}: ${name}`,
    adviceDigest: (name: string) => `${name} comes in a digest`,
    treatAs: "Treat as",
    asSent: "As its priority says",
    treated: (tier: string) => `Treated as ${tier.toLowerCase()}`,
    minTier: "Least tier that rings",
    mandatory: "Mandatory: neither mute nor grid silences it",
    isMandatory: "Mandatory",
    ownTable: "Own tiers for priorities",
    afterwards: "One after the other",
    layer: (value: string, time: string | null, first: boolean) => `${first ? "" : "Then: "}${value}, ${time === null ? "for good" : until(time)}`,
    without: (value: string) => `no longer “${value}”`,
    takeBack: (what: string) => `Take back: ${what}`,
    minTierIs: (tier: string) => `From ${tier.toLowerCase()} up`,
  },

  tierDefaults: {
    title: "What each tier does",
    hint: "Holds where no row of the table above says otherwise.",
    of: (what: string, tier: string) => `${what} of ${tier.toLowerCase()} ones`,
  },

  tables: {
    title: "Tiers of priorities",
    hint: "Which tier a priority has, by server family. Gotify’s priorities 0 to 10 are taken as 1 to 5 first.",
    priority: (number: number) => `Priority ${number}`,
    of: (number: number, name: string) => `Tier of priority ${number}, ${name}`,
    changed: (name: string) => `Tiers of ${name}`,
    backends,
  },

  quiet: {
    now: (name: string, time: string) => `Quiet now${name === "" ? "" : ` (${name})`} until ${time}`,
    next: (name: string, time: string) => `${name === "" ? "Quiet hours" : `Quiet hours “${name}”`} from ${time}`,
    today: (time: string) => `today ${time}`,
    none: "No quiet hours are on.",
    intro: "While it is quiet, what would ring waits, and rings as one when it is over.",
    skipTonight: "Skip tonight",
    skipped: "Tonight is skipped",
    skips: (date: string) => `Does not start on ${date}`,
    dontSkip: "Keep it after all",
    add: "Add quiet hours",
    night: "Night",
    untitled: "Quiet hours",
    added: (name: string) => `Added ${name}`,
    removed: (name: string) => `Removed ${name}`,
    changed: (name: string) => `Changed ${name}`,
    moved: (name: string) => `Moved ${name}`,
    remove: (name: string) => `Remove ${name}`,
    week: "The week",
    weekHint: "Drag a bar to move it, its ends to change them. Or type below.",
    name: "Name",
    on: "On",
    onOf: (name: string) => `${name} is on`,
    from: "From",
    to: "To",
    days: "Starts on",
    overMidnight: "ends on the next day",
    letsThrough: "Rings all the same",
    letsThroughChoices: [
      ["critical", "Critical ones"],
      ["important", "Critical and important ones"],
      ["", "Nothing, not even critical ones"],
    ] as [Tier | "", string][],
    letsThroughAll: "Everything",
    zone: "Whose clock",
    zoneHere: (name: string) => `This computer’s, wherever it is (now ${name})`,
    zoneHome: "Always this zone’s",
    zoneName: "Time zone",
    zoneHint: "By its name, such as Europe/Berlin.",
    zoneUnknown: "No time zone of this name is known here.",
    zoneChanged: "Changed the time zone of quiet hours",
    startOf: (name: string) => `Start of ${name}`,
    endOf: (name: string) => `End of ${name}`,
    barOf: (name: string, day: string, from: string, to: string) => `${name}, ${day} ${from} to ${to}`,
    invalidTime: "Type a time from 00:00 to 23:59.",
    noDay: "It starts on no day; choose at least one.",
  },

  batching: {
    batches: "Bursts",
    batchesHint: "How many of one type are told, by tier. Critical ones are never batched; single topics and types are set under What rings.",
    of: (tier: string) => `${tier} ones`,
    how: "Bursts",
    hows: {
      off: "Each rings by itself",
      leading: "The first rings, later ones edit its toast",
      trailing: "All wait, and ring as one",
      daily: "Once a day",
    } as Record<Batch["how"], string>,
    window: "Within",
    quietFor: "When nothing came for",
    most: "The first waits at most",
    at: "At",
    spans: [30, 300, 3600] as number[],
    digest: "Digests",
    digestWait: "The first waits for others",
    digestWaitHint: "What is set to “Digest” is told with what comes in this time.",
    limits: "Limits",
    limitsHint: "What is more is told as one, and nothing is lost. Critical ones have a limit of their own, which nothing else uses up.",
    subscription: "Toasts a minute, of one topic",
    overall: "Toasts a minute, in all",
    critical: "Critical toasts a minute",
    fold: "The excess is collected for",
    storm: "A topic is unusual when it is over its limit for",
    duplicates: "The same twice",
    duplicatesHint: "The same title, text and link, by whichever account, rings once. Critical ones always ring.",
    duplicatesWithin: "Counts as the same within",
    away: "While you were away",
    awayAfter: "Joins the digest if it is older than",
    awayFew: "Younger ones ring singly, if there are at most",
    awayHours: "Critical ones ring singly if younger than",
    awaySingly: "Of these, so many of the newest",
    escalation: "Critical and unread",
    escalationHint: "A critical notification that stays unread rings again.",
    escalationTimes: "Rings again so often",
    escalationEvery: "Each time after",
    zeroOff: "0 switches this off.",
  },

  rules: {
    intro: "Rules look at what a notification says. All conditions of a rule have to hold; of rules that do the same thing, the first counts.",
    none: "No rule yet.",
    add: "Add a rule",
    addTitle: "New rule",
    addIt: "Add rule",
    added: (name: string) => `Added ${name}`,
    removed: (name: string) => `Removed ${name}`,
    changed: (name: string) => `Changed ${name}`,
    moved: (name: string, place: number) => `${name} is now number ${place}`,
    untitled: (place: number) => `Rule ${place}`,
    name: "Name",
    onOf: (name: string) => `${name} is on`,
    edit: (name: string) => `Edit ${name}`,
    remove: "Remove rule",
    up: (name: string) => `Move ${name} up`,
    down: (name: string) => `Move ${name} down`,
    drag: "Drag to reorder; Alt with ↑ and ↓ does the same",
    where: "Where",
    everywhere: "Everywhere",
    kind: "Type",
    text: "Title or text",
    any: "anything",
    caseMatters: "Upper and lower case differ",
    tags: "Tags",
    tagsHint: "With commas between them; it has to have all.",
    then: "Then",
    thens: {
      mute: "Mute: never rings, not even critical ones",
      on: "Ring",
      digest: "Tell it in a digest",
      off: "Inbox only",
      critical: "Treat as critical",
      important: "Treat as important",
      informational: "Treat as informational",
      mandatory: "Mandatory: neither mute nor grid silences it",
    } as Record<string, string>,
    hows,
    ends: "Ends",
    ended: (time: string) => `ended ${time}`,
    empty: "Say at least one condition; without any, it would hold for everything.",
    when: { kind: "type", text: "text", tags: "tags" },
    says: (field: string, how: string, text: string) => `${field} ${how} “${text}”`,
    off: "off",
  },

  sounds: {
    on: "Toasts make sounds",
    onHint: "They are silent while the desktop’s own sounds are switched off, or its “do not disturb” is on.",
    volume: "Volume",
    volumeUnheeded: "Only 0 % is heeded here.",
    volumeIs: (percent: number) => `${percent} %`,
    from: "Sound from priority",
    fromHint: "Critical ones always sound. A sound that is set for a tier, a topic or a type is for all of it.",
    standard: "Sound",
    perTier: "By tier",
    try: "Try",
    tryOf: (what: string) => `Try the sound: ${what}`,
    of: (tier: string) => `${tier} ones`,
    asStandard: "As above",
    kind: "Which sound",
    kinds: { default: "What the desktop plays", none: "None", named: "A sound of the desktop’s theme", file: "A sound file" } as Record<Sound["play"], string>,
    name: "Name of the sound",
    nameHint: "From the freedesktop sound naming specification.",
    path: "File",
    pathHint: "Its whole path, for example /home/ada/ding.oga.",
    pathInvalid: "Type the whole path, from the root on.",
    nameInvalid: "Type a name: letters, digits and hyphens.",
    elsewhere: "Single topics and types are set under What rings.",
    names: [
      "message-new-instant",
      "message-new-email",
      "message",
      "bell",
      "complete",
      "dialog-information",
      "dialog-warning",
      "dialog-error",
      "alarm-clock-elapsed",
      "phone-incoming-call",
      "device-added",
      "service-login",
      "window-attention",
    ] as string[],
  },

  privacy: {
    intro: "How much a toast tells. The inbox always has all of it.",
    tiers: "By tier",
    of: (tier: string) => `${tier} ones`,
    hidden: "Where content is hidden, a toast tells",
    hiddenHint: "While the session is locked, for example: see On screen.",
    rows: "Set for single rows",
    noRows: "No account, topic or type says otherwise.",
    back: (name: string) => `Back to what ${name} inherits`,
  },

  context: {
    intro: "What happens to toasts while the screen is used for something else, as far as the desktop tells.",
    while: "While",
    others: "Toasts",
    critical: "Critical toasts",
    othersOf: (title: string) => `Toasts: ${title}`,
    criticalOf: (title: string) => `Critical toasts: ${title}`,
    hushes,
    around,
    looking: "Toasts also for what I am looking at",
    lookingHint: "Otherwise what arrives in the list on screen does not ring.",
    now: "now",
    untold: "not told by this desktop",
    untoldHint: "What this desktop does not tell changes nothing. Pause toasts instead.",
    unshared: "No desktop on Linux tells this to other programs. Plasma turns on its own “Do not disturb” instead.",
  },

  strip: {
    label: "What waits",
    quiet: (name: string, time: string) => `${name === "" ? "Quiet hours" : `Quiet hours “${name}”`} until ${time}`,
    due: (time: string) => `until ${time}`,
    whenOver: "until it is over",
    quietSettings: "Change quiet hours",
    contextSettings: "Change what happens then",
    deliver: "Deliver now",
    delivered: "Delivered",
    skip: "Skip tonight",
    around: { locked: "The session is locked", presenting: "Presenting", full_screen: "Full screen", screen_shared: "The screen is shared", do_not_disturb: "The desktop says do not disturb" } as Record<string, string>,
  },

  cards: {
    storm: (name: string) => `Unusually many from ${name}`,
    stormSince: (time: string) => `more than its limit since ${time}`,
    muteHour: "Mute 1 h",
    digest: "Digest",
    leave: "Leave it",
    more: (number: number) => `${count(number)} more to decide`,
    newType: (kind: string, name: string) => `New in ${name}: ${kind}`,
    newTypeText: (what: ToastChoice) =>
      ({ on: "It rings unless you say otherwise.", digest: "It comes in a digest unless you say otherwise.", off: "It goes to the inbox only, unless you say otherwise." })[what],
    keep: "Keep",
    mute: "Mute",
    show: "Show",
  },

  snooze: {
    action: "Snooze",
    title: (number: number) => (number === 1 ? "Snooze until" : `Snooze ${count(number)} until`),
    hour: "In 1 hour",
    evening: "This evening",
    tomorrow: "Tomorrow morning",
    nextWeek: "Next week",
    unlock: "I unlock the session",
    online: "Its server is connected again",
    pick: "Another time",
    go: "Snooze",
    wake: "Back to inbox now",
    place: "Snoozed",
    back: (time: string) => `Back ${time}`,
    backUnlock: "Back when unlocked",
    backOnline: "Back when connected",
    first: (time: string) => `first back ${time}`,
    count: (number: number) => `${count(number)} snoozed`,
    empty: "Nothing is snoozed",
    emptyText: "What you put off waits here, and rings again when its time comes.",
  },

  toast: {
    header: (number: number, more: boolean) => (more ? `More than ${count(number)} notifications of one toast` : `${n(number, "notification", "notifications")} of one toast`),
    everything: "Show everything",
  },

  why: {
    progress: "What came of it",
    rules: "Every rule that was asked, in order",
    export: "Copy as text",
    decided: "decided",
  },
  tiers,
  minTiers,
  badges,
  batch,
  sound,
};
