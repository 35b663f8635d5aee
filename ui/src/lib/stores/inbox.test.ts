import { beforeEach, describe, expect, it, vi } from "vitest";
import { Client } from "../api";
import { Fake, type Scenario } from "../api/fake";
import type { Request } from "../bindings/Request";
import { Announcer } from "./announcer.svelte";
import { Inbox } from "./inbox.svelte";
import { Session } from "./session.svelte";

const NOW = Date.parse("2026-11-20T10:41:00Z");

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  return () => vi.useRealTimers();
});

async function setUp(scenario: Scenario = "normal") {
  const fake = new Fake({ scenario, now: () => NOW });
  const session = new Session(new Client(fake));
  await session.start();
  const announcer = new Announcer();
  const inbox = new Inbox(session, announcer);
  await inbox.load();
  return { fake, session, announcer, inbox };
}

const settle = () => vi.advanceTimersByTimeAsync(2000);
const ids = (inbox: Inbox) => inbox.rows.map((row) => row.id);
const asked = <D extends Request["do"]>(fake: Fake, what: D) =>
  fake.calls.filter((call): call is Extract<Request, { do: D }> => call.do === what);

describe("paging", () => {
  it("reads on page by page until the end, each row once", async () => {
    const { fake, inbox } = await setUp("huge");
    expect(inbox.rows.length).toBe(100);
    for (let page = 0; page < 5; page += 1) await inbox.more();
    expect(inbox.rows.length).toBe(600);
    expect(new Set(ids(inbox)).size).toBe(600);
    expect(asked(fake, "list").every((call) => call.limit <= 500)).toBe(true);
  });

  it("asks for a page once, however often it is wanted", async () => {
    const { fake, inbox } = await setUp("huge");
    await Promise.all([inbox.more(), inbox.more(), inbox.more()]);
    expect(asked(fake, "list").length).toBe(2);
  });

  it("forgets an answer that belongs to a list no longer shown", async () => {
    const { inbox } = await setUp();
    const late = inbox.show({ place: "done" });
    const now = inbox.show({ place: "unread" });
    await Promise.all([late, now]);
    expect(inbox.rows.every((row) => !row.read && !row.done)).toBe(true);
    expect(inbox.rows.length).toBe(5);
  });

  it("says why the list could not be read, and reads it again when asked", async () => {
    const { fake, inbox } = await setUp();
    fake.failures.set("list", { code: "storage", message: "The disk is gone.", detail: "" });
    await inbox.load();
    expect(inbox.phase).toBe("failed");
    expect(inbox.error?.message).toBe("The disk is gone.");
    fake.failures.clear();
    await inbox.load();
    expect(inbox.phase).toBe("ready");
    expect(inbox.error).toBeNull();
  });

  it("keeps the list while a search is only half typed", async () => {
    const { fake, inbox, announcer } = await setUp();
    const before = ids(inbox);
    fake.failures.set("list", { code: "invalid", message: "“mon” is no day.", detail: "" });
    await inbox.show({ search: "before:mon" });
    expect(inbox.searchProblem).toBe("“mon” is no day.");
    expect(ids(inbox)).toEqual(before);
    fake.failures.clear();
    await inbox.show({ search: "disk" });
    expect(inbox.searchProblem).toBe("");
    expect(ids(inbox)).toEqual([60]);
    expect(announcer.polite).toBe("1 found");
  });

  it("says that it loads only when that takes long", async () => {
    const inbox = new Inbox(new Session(new Client(new Fake({ scenario: "slow" }))), new Announcer());
    void inbox.load();
    await vi.advanceTimersByTimeAsync(150);
    expect(inbox.slow).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(inbox.slow).toBe(true);
  });
});

describe("arrivals", () => {
  it("are shown at once at the top", async () => {
    const { fake, inbox } = await setUp();
    const row = fake.arrive();
    await settle();
    expect(ids(inbox)[0]).toBe(row.id);
    expect(inbox.pending.size).toBe(0);
  });

  it("wait in the pill while something would move, and come when asked", async () => {
    const { fake, inbox } = await setUp();
    const before = ids(inbox);
    inbox.cursor = before[3] ?? null;
    inbox.holds = () => true;
    fake.arrive();
    await settle();
    const second = fake.arrive();
    await settle();
    expect(ids(inbox)).toEqual(before);
    expect(inbox.pending.size).toBe(2);
    expect(inbox.cursor).toBe(before[3]);
    const top = inbox.topWanted;
    await inbox.release();
    expect(inbox.pending.size).toBe(0);
    expect(ids(inbox)[0]).toBe(second.id);
    expect(inbox.topWanted).toBe(top + 1);
  });

  it("of another list are not shown in this one", async () => {
    const { fake, inbox } = await setUp();
    await inbox.show({ account: 2 });
    const before = ids(inbox);
    fake.arrive({ account: 1, subscription: 1 });
    await settle();
    expect(ids(inbox)).toEqual(before);
  });

  it("are said once for many, and critical ones at once", async () => {
    const { fake, announcer } = await setUp();
    fake.arrive({ tier: "important", title: "One" });
    fake.arrive({ tier: "informational", title: "Two" });
    fake.arrive({ tier: "critical", title: "Disk full", subscription_name: "nas" });
    await vi.advanceTimersByTimeAsync(200);
    expect(announcer.assertive).toBe("Critical: Disk full, nas");
    expect(announcer.polite).toBe("");
    await settle();
    expect(announcer.polite).toBe("3 new, 2 important");
  });

  it("of a burst larger than a page leave no hole", async () => {
    const { fake, inbox } = await setUp();
    for (let n = 0; n < 700; n += 1) fake.arrive();
    await settle();
    while (inbox.loaded.next !== null) await inbox.more();
    expect(inbox.rows.length).toBe(fake.rows.filter((row) => !row.done).length);
  });
});

describe("changes", () => {
  it("open marks read, once", async () => {
    const { fake, inbox } = await setUp();
    await inbox.open(60);
    await inbox.open(58);
    expect(inbox.detail?.row.id).toBe(58);
    const changes = asked(fake, "change");
    expect(changes).toEqual([{ do: "change", targets: { which: "ids", ids: [60] }, change: "read" }]);
    expect(inbox.rows.find((row) => row.id === 60)?.read).toBe(true);
  });

  it("done takes the row out at once and the keyboard to the next", async () => {
    const { inbox } = await setUp();
    inbox.cursor = 59;
    const acting = inbox.act("done");
    expect(ids(inbox)).not.toContain(59);
    expect(inbox.cursor).toBe(58);
    await acting;
    expect(inbox.undoable?.says).toBe("1 notification moved to Done");
  });

  it("that fail come back, with words", async () => {
    const { fake, session, inbox } = await setUp();
    fake.failures.set("change", { code: "storage", message: "The disk is full.", detail: "" });
    await inbox.act("delete", [60]);
    expect(ids(inbox)).toContain(60);
    expect(session.failure?.message).toBe("The disk is full.");
    expect(inbox.undoable).toBeNull();
  });

  it("undo brings back what the bar names, also after something else was read meanwhile", async () => {
    const { fake, inbox } = await setUp();
    await inbox.act("delete", [60]);
    await inbox.open(59);
    await settle();
    expect(inbox.undoable?.says).toBe("1 notification deleted");
    await inbox.undoBar();
    await settle();
    expect(ids(inbox)).toContain(60);
    expect(fake.rows.find((row) => row.id === 59)?.read).toBe(true);
    expect(inbox.undoable).toBeNull();
    expect(asked(fake, "undo").length).toBe(1);
    expect(asked(fake, "change").length).toBe(2);
  });

  it("undo by the keys takes back what was done last here, not what was read by opening it", async () => {
    const { fake, inbox } = await setUp();
    await inbox.act("done", [60]);
    await inbox.open(59);
    const client = new Client(fake);
    await client.change({ which: "ids", ids: [58] }, "delete");
    await inbox.undo();
    expect(ids(inbox)).toContain(60);
    expect(ids(inbox)).not.toContain(58);
    expect(inbox.undoable).toBeNull();
    // Nothing of this window is left: the last change of all.
    await inbox.undo();
    expect(ids(inbox)).toContain(58);
    expect(asked(fake, "undo").map((call) => call.step !== null)).toEqual([true, false]);
  });

  it("undo by the keys leaves alone a bar that names something else", async () => {
    const { fake, inbox } = await setUp();
    await inbox.act("delete", [60]);
    await inbox.act("unread", [58]);
    await inbox.undo();
    expect(fake.rows.find((row) => row.id === 58)?.read).toBe(true);
    expect(inbox.undoable?.says).toBe("1 notification deleted");
    await inbox.undoBar();
    expect(ids(inbox)).toContain(60);
  });

  it("undo passes over what was undone elsewhere, and the bar says so", async () => {
    const { fake, session, inbox } = await setUp();
    const client = new Client(fake);
    await inbox.act("done", [60]);
    await inbox.act("done", [59]);
    await client.undo(null);
    await inbox.undoBar();
    expect(session.failure?.message).toMatch(/^This can no longer be undone\./);
    await inbox.act("done", [59]);
    await client.undo(null);
    await inbox.undo();
    expect(session.failure).toBeNull();
    expect(ids(inbox)).toEqual(expect.arrayContaining([60, 59]));
  });

  it("undo goes on through the stack", async () => {
    const { inbox } = await setUp();
    const before = ids(inbox);
    await inbox.act("done", [60]);
    await inbox.act("done", [59]);
    await inbox.undo();
    await inbox.undo();
    expect(ids(inbox)).toEqual(before);
  });

  it("undo with nothing to undo says so", async () => {
    const { inbox, announcer } = await setUp();
    await inbox.undo();
    expect(announcer.polite).toBe("There is nothing to undo.");
  });

  it("a row that is read stays in Unread until the list is left", async () => {
    const { inbox } = await setUp();
    await inbox.show({ place: "unread" });
    await inbox.open(60);
    await settle();
    expect(ids(inbox)).toContain(60);
    await inbox.show({ place: "unread" });
    expect(ids(inbox)).not.toContain(60);
  });

  it("mark all read asks for the whole list, not only what is loaded", async () => {
    const { fake, inbox } = await setUp("huge");
    await inbox.markAllRead();
    expect(asked(fake, "change")[0]?.targets.which).toBe("query");
    expect(fake.rows.every((row) => row.read)).toBe(true);
    expect(inbox.undoable?.says).toMatch(/marked read/);
  });

  it("from elsewhere are shown, and what is gone goes", async () => {
    const { fake, inbox } = await setUp();
    fake.rows = fake.rows.filter((row) => row.id !== 60).map((row) => (row.id === 59 ? { ...row, read: true } : row));
    fake.hint({ event: "changed", ids: [60, 59] });
    await settle();
    expect(ids(inbox)).not.toContain(60);
    expect(inbox.rows.find((row) => row.id === 59)?.read).toBe(true);
  });

  it("seen is told once, in one batch, for rows that were not", async () => {
    const { fake, inbox } = await setUp();
    await inbox.seen([60, 59, 58]);
    await inbox.seen([60, 59, 58]);
    await settle();
    expect(asked(fake, "change")).toEqual([
      { do: "change", targets: { which: "ids", ids: [60, 59] }, change: "seen" },
    ]);
  });
});

describe("a window that is asked for", () => {
  it("shows what it is asked to, and nothing that is for the other one", async () => {
    const { fake, inbox } = await setUp();
    const settings = new Session(new Client(fake), "settings");
    await settings.start();
    const heard: string[] = [];
    settings.onHint((event) => heard.push(event.event === "present" ? event.target.show : event.event));
    fake.hint({ event: "present", target: { show: "settings" }, token: null });
    fake.hint({ event: "present", target: { show: "notification", id: 60 }, token: null });
    fake.hint({ event: "present", target: { show: "inbox" }, token: null });
    await settle();
    expect(inbox.openId).toBe(60);
    expect(heard.filter((event) => event !== "changed")).toEqual(["settings"]);
  });
});

describe("selection", () => {
  it("extends from where it began, and shrinks again", async () => {
    const { inbox } = await setUp();
    inbox.move("first");
    inbox.extend("next");
    inbox.extend("next");
    expect([...inbox.selection]).toEqual([60, 59, 58]);
    inbox.extend("previous");
    expect([...inbox.selection]).toEqual([60, 59]);
  });

  it("of all that match is acted on as a query", async () => {
    const { fake, inbox } = await setUp("huge");
    inbox.selectAll();
    inbox.allMatching = true;
    await inbox.act("done");
    const change = asked(fake, "change")[0];
    expect(change?.targets).toMatchObject({ which: "query", query: { place: "all" } });
    expect(inbox.selection.size).toBe(0);
    expect(inbox.rows).toEqual([]);
  });

  it("loses rows that leave", async () => {
    const { fake, inbox } = await setUp();
    inbox.toggle(60);
    inbox.toggle(59);
    fake.rows = fake.rows.filter((row) => row.id !== 60);
    fake.hint({ event: "resync" });
    await settle();
    expect([...inbox.selection]).toEqual([59]);
  });
});

describe("the resident goes and comes back", () => {
  it("keeps the list meanwhile and reads it again afterwards", async () => {
    const { fake, session, inbox } = await setUp();
    const before = ids(inbox);
    fake.link(false);
    expect(session.up).toBe(false);
    expect(ids(inbox)).toEqual(before);
    fake.rows = fake.rows.filter((row) => row.id !== 60);
    fake.link(true);
    await settle();
    expect(session.up).toBe(true);
    expect(ids(inbox)).toEqual(before.filter((id) => id !== 60));
  });
});
