import { fireEvent, render, screen, waitFor, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Client } from "../../lib/api";
import { Fake, type FakeOptions } from "../../lib/api/fake";
import type { Request } from "../../lib/bindings/Request";
import type { Target } from "../../lib/bindings/Target";
import { clock } from "../../lib/stores/clock.svelte";
import { Session } from "../../lib/stores/session.svelte";
import { violations } from "../../testing/axe";
import InboxView from "./InboxView.svelte";

async function open(options: FakeOptions = {}, target: Target = { show: "inbox" }, prepare: (fake: Fake) => void = () => undefined) {
  const fake = new Fake(options);
  prepare(fake);
  const session = new Session(new Client(fake));
  await session.start();
  clock.now = Date.now();
  const ready = vi.fn();
  const { container } = render(InboxView, { props: { session, target, onready: ready } });
  await waitFor(() => expect(ready).toHaveBeenCalled());
  return { fake, session, container, user: userEvent.setup() };
}

const last = <D extends Request["do"]>(fake: Fake, what: D) =>
  fake.calls.filter((call): call is Extract<Request, { do: D }> => call.do === what).at(-1);
const shown = () => screen.queryAllByTestId("row").map((one) => Number(one.dataset["id"]));
const row = (id: number) => waitFor(() => expect(shown()).toContain(id));

describe("the strip", () => {
  it("says what is quiet, how many wait and until when, and ends it", async () => {
    const { fake, user } = await open({ scenario: "quiet" });
    const strip = await screen.findByTestId("strip-quiet");
    expect(strip.textContent).toMatch(/Quiet hours “Night” until .+ · 3 wait/);
    await user.click(screen.getByTestId("deliver-now"));
    expect(last(fake, "deliver_now")).toBeDefined();
    await waitFor(() => expect(screen.queryByTestId("deliver-now")).toBeNull());
    expect(screen.getByTestId("strip-quiet")).toBeTruthy();
    await user.click(screen.getByTestId("strip-skip"));
    await waitFor(() => expect(screen.queryByTestId("policy-strip")).toBeNull());
  });

  it("leads to the page that changes it", async () => {
    const { fake, user } = await open({ scenario: "quiet" });
    await user.click(await screen.findByTestId("strip-quiet-settings"));
    expect(last(fake, "open_window")?.target).toEqual({ show: "section", section: "quiet" });
  });

  it("is not there when nothing waits", async () => {
    await open();
    expect(screen.queryByTestId("policy-strip")).toBeNull();
  });

  it("names every other cause in its words, those without an end too", async () => {
    const { session } = await open();
    if (!session.status) throw new Error("there is a status");
    session.status = {
      ...session.status,
      held: [
        { cause: "context", says: "Presenting", count: 2, until: null, can_deliver: true },
        { cause: "snooze", says: "Snoozed", count: 4, until: null, can_deliver: false },
      ],
    };
    const held = await screen.findAllByTestId("strip-held");
    expect(held.map((one) => one.textContent?.replace(/\s+/g, " ").trim())).toEqual(["Presenting · 2 wait · until it is over"]);
    expect(screen.getByTestId("deliver-now")).toBeTruthy();
  });

  it("says why it could not be ended", async () => {
    const { fake, user } = await open({ scenario: "quiet" });
    fake.failures.set("deliver_now", { code: "storage", message: "The disk is full.", detail: "" });
    await user.click(await screen.findByTestId("deliver-now"));
    expect((await screen.findByTestId("failure")).textContent).toContain("The disk is full.");
  });
});

describe("cards", () => {
  it("mute a storm for an hour, and keep what was set for it", async () => {
    const { fake, user } = await open({ scenario: "policy" }, undefined, (fake) => {
      fake.policy.document.rows.push({ account: 1, subscription: 2, badge: "off" });
    });
    const card = within(await screen.findByTestId("card-storm"));
    await user.click(card.getByTestId("card-mute-hour"));
    await waitFor(() => expect(screen.queryByTestId("card-storm")).toBeNull());
    const rows = fake.policy.document.rows.filter((one) => one.subscription === 2 && one.kind === undefined);
    expect(rows).toEqual([{ account: 1, subscription: 2, badge: "off" }, { account: 1, subscription: 2, mute: true, until: expect.any(String) }]);
    expect(last(fake, "card_dismiss")).toMatchObject({ subscription: 2, kind: null });
  });

  it("make a new type a digest, mute it or keep it", async () => {
    const { fake, user } = await open({ scenario: "policy" });
    const card = within(await screen.findByTestId("card-new_type"));
    await user.click(card.getByTestId("card-digest"));
    await waitFor(() => expect(screen.queryByTestId("card-new_type")).toBeNull());
    expect(fake.policy.document.rows).toContainEqual({ account: 2, subscription: 4, kind: "build.flaky", toast: "digest" });
    await user.click(within(screen.getByTestId("card-storm")).getByTestId("card-leave"));
    await waitFor(() => expect(screen.queryByTestId("card-storm")).toBeNull());
    expect(fake.policy.document.rows.some((one) => one.subscription === 2 && one.mute)).toBe(false);
  });

  it("leave room for the list: more than two are shown when asked for", async () => {
    const { fake, user } = await open({ scenario: "policy" }, undefined, (fake) => {
      const [, one] = fake.policy.cards;
      if (one?.card === "new_type") fake.policy.cards.push({ ...one, kind: "a" }, { ...one, kind: "b" });
    });
    expect(screen.getAllByTestId(/^card-(storm|new_type)$/)).toHaveLength(2);
    await user.click(screen.getByTestId("cards-more"));
    expect(screen.getAllByTestId(/^card-(storm|new_type)$/)).toHaveLength(4);
    expect(fake.policy.cards).toHaveLength(4);
  });
});

describe("snoozing", () => {
  it("h puts off until a named time, z brings back, and the place tells when", async () => {
    const { fake, user } = await open();
    await row(60);
    await user.keyboard("jh");
    await user.click(await screen.findByTestId("snooze-tomorrow"));
    await waitFor(() => expect(shown()).not.toContain(60));
    const change = last(fake, "change")?.change;
    if (typeof change !== "object" || change.snooze.back.at !== "time") throw new Error("a time was chosen");
    expect(new Date(change.snooze.back.time).getHours()).toBe(8);
    expect((await screen.findByTestId("snoozed-count")).textContent).toMatch(/first back .+08:00/);
    await user.keyboard("gs");
    await row(60);
    expect(shown()).toEqual([60]);
    expect(screen.getByTestId("row-back").textContent).toMatch(/^Back .*08:00/);
    expect(screen.getByTestId("row").getAttribute("aria-label")).toMatch(/, Back .*08:00/);
    await user.keyboard("ga");
    await waitFor(() => expect(shown()).toContain(59));
    await user.keyboard("z");
    await row(60);
  });

  it("until I unlock, for all that is selected", async () => {
    const { fake, user } = await open();
    await row(60);
    await user.keyboard("jxjxh");
    expect(screen.getByRole("dialog").textContent).toContain("Snooze 2 until");
    expect(document.activeElement).toBe(screen.getByTestId("snooze-hour"));
    await user.keyboard("{ArrowUp}");
    expect(document.activeElement).toBe(screen.getByTestId("snooze-online"));
    await user.click(screen.getByTestId("snooze-unlock"));
    expect(last(fake, "change")).toMatchObject({ targets: { which: "ids", ids: [60, 59] }, change: { snooze: { back: { at: "unlock" } } } });
    await waitFor(() => expect(shown()).not.toContain(59));
    await user.keyboard("gs");
    await row(59);
    expect(screen.getAllByTestId("row-back").map((one) => one.textContent)).toEqual(Array(2).fill("Back when unlocked"));
    await user.keyboard("j{Enter}");
    expect((await screen.findByTestId("detail-back")).textContent).toBe("Back when unlocked");
  });

  it("until a typed time, which has to come", async () => {
    const { fake, user } = await open();
    await row(60);
    await user.keyboard("jh");
    await fireEvent.input(screen.getByTestId("snooze-time"), { target: { value: "2001-01-01T10:00" } });
    await user.click(screen.getByTestId("snooze-go"));
    expect(screen.getByRole("alert").textContent).toContain("still to come");
    expect(last(fake, "change")).toBeUndefined();
    await fireEvent.input(screen.getByTestId("snooze-time"), { target: { value: "2101-01-01T10:00" } });
    await user.click(screen.getByTestId("snooze-go"));
    await waitFor(() => expect(fake.policy.snoozed.get(60)).toMatchObject({ at: "time" }));
  });

  it("ends at once from its place", async () => {
    const { fake, user } = await open({}, undefined, (fake) => fake.policy.snoozed.set(57, { at: "online" }));
    await user.keyboard("gs");
    await row(57);
    await user.keyboard("j{Enter}");
    await user.click(await screen.findByTestId("detail-wake"));
    await waitFor(() => expect(fake.policy.snoozed.size).toBe(0));
    expect((await screen.findByTestId("empty")).textContent).toContain("Nothing is snoozed");
    await user.keyboard("ga");
    await row(57);
  });

  it("is not offered for what is done, nor with letters switched off", async () => {
    const { user } = await open({ settings: { letter_shortcuts: false } });
    await row(60);
    await user.keyboard("{ArrowDown}h");
    expect(screen.queryByTestId("snooze-menu")).toBeNull();
  });
});

describe("one toast", () => {
  it("shows exactly what it told of, and the way back to everything", async () => {
    const { user } = await open({}, { show: "toast", toast: 7 });
    await waitFor(() => expect(shown()).toEqual([59, 57, 53]));
    expect(screen.getByRole("heading", { level: 1 }).textContent?.trim()).toBe("3 notifications of one toast");
    await user.click(screen.getByTestId("everything"));
    await row(60);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("All");
  });

  it("keeps in the list what was done with it", async () => {
    const { fake, user } = await open({}, { show: "toast", toast: 7 });
    await row(59);
    await user.keyboard("je");
    await waitFor(() => expect(fake.rows.find((one) => one.id === 59)?.done).toBe(true));
    await waitFor(() => expect(shown()).toEqual([59, 57, 53]));
  });

  it("comes forward in a window that is open, over whatever it showed", async () => {
    const { fake, user } = await open();
    await row(60);
    await user.keyboard("j{Enter}");
    fake.hint({ event: "present", target: { show: "toast", toast: 7 }, token: null });
    await waitFor(() => expect(shown()).toEqual([59, 57, 53]));
  });
});

describe("why", () => {
  it("tells every rule, marks the one that decided, and what came of it", async () => {
    const { user } = await open({}, { show: "notification", id: 60 });
    const why = await screen.findByTestId<HTMLDetailsElement>("why");
    why.open = true;
    await fireEvent(why, new Event("toggle"));
    const lines = await screen.findAllByTestId("ledger-line");
    expect(lines.filter((line) => /\(decided\)/.test(line.textContent ?? "")).map((line) => line.textContent)).toEqual([expect.stringContaining("Nothing spoke against it.")]);
    expect(screen.getByTestId("ledger-progress").textContent).toContain("Shown two minutes ago");
    const write = vi.spyOn(navigator.clipboard, "writeText");
    await user.click(within(screen.getByTestId("ledger-export")).getByRole("button"));
    const text = write.mock.calls[0]?.[0] ?? "";
    expect(text).toMatch(/^Disk full\n/);
    expect(text).toContain("  * Toast: Nothing spoke against it.");
    expect(text.split("\n").filter((line) => line.startsWith("    "))).toHaveLength(6);
  });
});

it("has nothing that axe objects to: strip, cards, the menu of snoozing", async () => {
  const { container, user } = await open({ scenario: "quiet" });
  await row(60);
  await user.keyboard("jh");
  expect(await violations(container)).toEqual([]);
});
