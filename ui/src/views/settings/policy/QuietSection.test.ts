import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it, vi } from "vitest";
import type { Fake } from "../../../lib/api/fake";
import type { Schedule } from "../../../lib/bindings/Schedule";
import { openPage } from "../../../testing/policy";

const night: Schedule = { name: "Night", days: ["sun"], from: "22:00", to: "07:00", lets_through: "critical" };
const only = (...schedules: Schedule[]) => (fake: Fake) => (fake.policy.document = { ...fake.policy.document, rules: [], quiet: { zone: "", schedules } });
const open = (prepare: (fake: Fake) => void = only(night)) => openPage("quiet", { scenario: "policy", now: () => new Date(2026, 10, 22, 12).getTime() }, prepare);
const bars = (day: string) => within(screen.getByTestId(`track-${day}`)).queryAllByTestId("bar");
const times = (day: string) => bars(day).map((bar) => `${bar.dataset["from"]}–${bar.dataset["to"]}`);
const schedule = (fake: Fake, index = 0) => fake.policy.document.quiet.schedules[index];

/** 1440 pixels are a day. */
function measured() {
  vi.spyOn(Element.prototype, "getBoundingClientRect").mockReturnValue({ x: 0, y: 0, left: 0, top: 0, right: 1440, bottom: 28, width: 1440, height: 28, toJSON: () => "" });
}

async function drag(target: Element, by: number, end: "pointerup" | "none" = "pointerup") {
  await fireEvent(target, new MouseEvent("pointerdown", { bubbles: true, cancelable: true, clientX: 100, button: 0 }));
  await fireEvent(window, new MouseEvent("pointermove", { bubbles: true, clientX: 100 + by }));
  if (end === "pointerup") await fireEvent(window, new MouseEvent("pointerup", { bubbles: true, clientX: 100 + by }));
}

describe("the week", () => {
  it("draws a window over midnight as one that goes on in the next line", async () => {
    await open();
    expect(times("sun")).toEqual(["22:00–24:00"]);
    expect(times("mon")).toEqual(["00:00–07:00"]);
    expect(times("tue")).toEqual([]);
  });

  it("is moved by dragging a bar, in steps of 15 minutes", async () => {
    const { fake } = await open();
    measured();
    await drag(bars("sun")[0] as Element, 68);
    await waitFor(() => expect(schedule(fake)).toMatchObject({ from: "23:15", to: "08:15" }));
    expect(times("mon")).toEqual(["00:00–08:15"]);
  });

  it("is resized at its ends, on whichever day they are", async () => {
    const { fake } = await open();
    measured();
    await drag(within(bars("sun")[0] as HTMLElement).getByTestId("grip-start"), -60);
    await waitFor(() => expect(schedule(fake)).toMatchObject({ from: "21:00", to: "07:00" }));
    await drag(within(bars("mon")[0] as HTMLElement).getByTestId("grip-end"), 30);
    await waitFor(() => expect(schedule(fake)).toMatchObject({ from: "21:00", to: "07:30" }));
  });

  it("shows where it would be while it is dragged, and Escape lets it be", async () => {
    const { fake, user } = await open();
    measured();
    await drag(bars("sun")[0] as Element, -120, "none");
    expect(times("sun")).toEqual(["20:00–24:00"]);
    await user.keyboard("{Escape}");
    expect(times("sun")).toEqual(["22:00–24:00"]);
    await fireEvent(window, new MouseEvent("pointerup", { clientX: 0 }));
    expect(schedule(fake)).toEqual(night);
    expect(fake.calls.some((call) => call.do === "preferences_set")).toBe(false);
  });

  it("is moved by the keyboard, at its ends and whole", async () => {
    const { fake, user } = await open();
    const start = screen.getByRole("slider", { name: "Start of Night" });
    expect(start.getAttribute("aria-valuetext")).toBe("22:00");
    start.focus();
    await user.keyboard("{ArrowRight}");
    await waitFor(() => expect(schedule(fake)).toMatchObject({ from: "22:15", to: "07:00" }));
    await user.keyboard("{PageDown}");
    await waitFor(() => expect(schedule(fake)).toMatchObject({ from: "21:15", to: "07:00" }));
    await user.keyboard("{Shift>}{ArrowRight}{/Shift}");
    await waitFor(() => expect(schedule(fake)).toMatchObject({ from: "21:30", to: "07:15" }));
    expect(document.activeElement?.getAttribute("aria-valuetext")).toBe("21:30");
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(schedule(fake)).toEqual(night));
  });
});

describe("a schedule", () => {
  it("is typed: times, days, what rings all the same", async () => {
    const { fake, user } = await open();
    await fireEvent.change(screen.getByTestId("schedule-from"), { target: { value: "23:10" } });
    await user.click(screen.getByTestId("day-mon"));
    await user.selectOptions(screen.getByTestId("schedule-passes"), "");
    await waitFor(() => expect(schedule(fake)).toEqual({ ...night, from: "23:10", days: ["mon", "sun"], lets_through: null }));
    expect(screen.getByTestId("day-mon").getAttribute("aria-pressed")).toBe("true");
    expect(times("mon").sort()).toEqual(["00:00–07:00", "23:10–24:00"]);
  });

  it("refuses what is no time, and one without a day says so", async () => {
    const { fake, user } = await open();
    await fireEvent.change(screen.getByTestId("schedule-to"), { target: { value: "" } });
    expect((await screen.findByRole("alert")).textContent).toContain("00:00 to 23:59");
    expect(schedule(fake)).toEqual(night);
    await user.click(screen.getByTestId("day-sun"));
    expect(await screen.findByText(/It starts on no day/)).toBeTruthy();
  });

  it("leaves its word behind on its page, and its way back to the usual keys on any", async () => {
    const { fake, user } = await openPage("quiet");
    const before = fake.policy.document.quiet.schedules.length;
    await user.click(screen.getByTestId("schedule-add"));
    await screen.findByTestId("policy-says");
    await user.click(screen.getByTestId("section-privacy"));
    await waitFor(() => expect(screen.queryByTestId("policy-says")).toBeNull());
    expect(fake.policy.document.quiet.schedules).toHaveLength(before + 1);
    await user.keyboard("{Control>}z{/Control}");
    await waitFor(() => expect(fake.policy.document.quiet.schedules).toHaveLength(before));
  });

  it("is added, switched off, removed, and all of that undone", async () => {
    const { fake, user } = await open(only());
    expect(screen.getByTestId("quiet-state").textContent).toContain("No quiet hours are on.");
    await user.click(screen.getByTestId("schedule-add"));
    await waitFor(() => expect(schedule(fake)).toMatchObject({ name: "Night", from: "22:00", to: "07:00" }));
    await user.click(screen.getByTestId("schedule-on"));
    await waitFor(() => expect(schedule(fake)?.off).toBe(true));
    await user.click(screen.getByTestId("schedule-remove"));
    await waitFor(() => expect(fake.policy.document.quiet.schedules).toEqual([]));
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(schedule(fake)?.off).toBe(true));
    await user.click(screen.getByTestId("policy-undo"));
    await waitFor(() => expect(schedule(fake)?.off).toBeUndefined());
    expect(fake.policy.document.quiet.schedules).toHaveLength(1);
  });
});

describe("now and next", () => {
  it("says when it begins, and skips tonight", async () => {
    const { fake, user } = await open(only({ ...night, days: ["sun", "mon"] }));
    expect(screen.getByTestId("quiet-state").textContent).toMatch(/from today 10:00 PM|from today 22:00/);
    await user.click(screen.getByTestId("skip-tonight"));
    await waitFor(() => expect(schedule(fake)?.skip).toBe("2026-11-22"));
    expect((await screen.findByTestId("quiet-state")).textContent).toMatch(/from Mon /);
    await user.click(within(screen.getByTestId("schedule-skip")).getByRole("button"));
    await waitFor(() => expect(schedule(fake)?.skip).toBeUndefined());
  });

  it("says that it is quiet, and until when", async () => {
    await open(only({ ...night, from: "11:00", to: "13:30" }));
    expect(screen.getByTestId("quiet-state").textContent).toMatch(/Quiet now \(Night\) until (01:30 PM|13:30)/);
  });
});

describe("whose clock", () => {
  it("is a home zone by its name, or this computer's", async () => {
    const { fake, user } = await open();
    await user.click(screen.getByTestId("zone-home"));
    const field = screen.getByTestId("zone-name");
    await user.type(field, "Mars/Olympus{Tab}");
    expect((await screen.findByRole("alert")).textContent).toContain("No time zone of this name");
    expect(fake.policy.document.quiet.zone).toBe("");
    await user.clear(field);
    await user.type(field, "Asia/Tokyo{Tab}");
    await waitFor(() => expect(fake.policy.document.quiet.zone).toBe("Asia/Tokyo"));
    await user.click(screen.getByTestId("zone-here"));
    await waitFor(() => expect(fake.policy.document.quiet.zone).toBe(""));
  });

  it("shows what is wrong with it at the zone", async () => {
    await open((fake) => (fake.policy.document = { ...fake.policy.document, rules: [], quiet: { zone: "Berlin", schedules: [] } }));
    expect(screen.getByTestId("problems").textContent).toContain("No time zone is called “Berlin”");
    expect(screen.getByTestId("zone-home")).toHaveProperty("checked", true);
  });
});
