import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { violations } from "../../../testing/axe";
import { FULL, last, openPage } from "../../../testing/policy";

describe("batching and limits", () => {
  it("are set, in the units on screen", async () => {
    const { fake, user } = await openPage("batching");
    await user.selectOptions(screen.getByTestId("batch-important-how"), "leading");
    await waitFor(() => expect(fake.policy.document.tiers.important.batch).toEqual({ how: "leading", seconds: 300 }));
    await user.selectOptions(await screen.findByTestId("batch-important-seconds"), "3600");
    await user.selectOptions(screen.getByTestId("batch-informational-how"), "daily");
    await fireEvent.change(await screen.findByTestId("batch-informational-at"), { target: { value: "08:30" } });
    const digest = screen.getByTestId("digest-seconds");
    await user.clear(digest);
    await user.type(digest, "2.5{Tab}");
    await waitFor(() => expect(fake.policy.document.digest.seconds).toBe(150));
    expect(fake.policy.document.tiers).toMatchObject({ important: { batch: { how: "leading", seconds: 3600 } }, informational: { batch: { how: "daily", at: "08:30" } } });
    expect(digest).toHaveProperty("value", "2.5");
  });

  it("keeps a trailing window below the longest wait", async () => {
    const { fake, user } = await openPage("batching");
    await user.selectOptions(screen.getByTestId("batch-important-how"), "trailing");
    await user.selectOptions(await screen.findByTestId("batch-important-most"), "30");
    await waitFor(() => expect(fake.policy.document.tiers.important.batch).toEqual({ how: "trailing", seconds: 30, most: 30 }));
  });

  it.each(["0", "-3", "", "10000"])("refuses “%s” toasts a minute in words, and keeps what was", async (typed) => {
    const { fake, user } = await openPage("batching");
    const field = screen.getByTestId("limit-overall");
    await user.clear(field);
    if (typed !== "") await user.type(field, typed);
    await fireEvent.change(field);
    expect((await screen.findByRole("alert")).textContent).toContain("Type a number from 1 to 1,000");
    expect(field.getAttribute("aria-invalid")).toBe("true");
    expect(fake.policy.document.limits.overall).toBe(12);
    await user.clear(field);
    await user.type(field, "9{Tab}");
    await waitFor(() => expect(fake.policy.document.limits.overall).toBe(9));
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

describe("sounds", () => {
  it("are named, or files by their whole path, by tier or not at all", async () => {
    const { fake, user } = await openPage("sounds");
    await user.selectOptions(screen.getByTestId("sound-critical-kind"), "named");
    const name = await screen.findByTestId("sound-critical-name");
    await user.clear(name);
    await user.type(name, "alarm-clock-elapsed{Tab}");
    await waitFor(() => expect(fake.policy.document.tiers.critical.sound).toEqual({ play: "named", name: "alarm-clock-elapsed" }));
    await user.selectOptions(screen.getByTestId("sound-kind"), "file");
    const path = await screen.findByTestId("sound-path");
    await user.type(path, "ding.oga{Tab}");
    expect((await screen.findByRole("alert")).textContent).toContain("whole path");
    expect(fake.policy.document.sounds.sound).toEqual({ play: "default" });
    await user.clear(path);
    await user.type(path, "/home/ada/ding.oga{Tab}");
    await waitFor(() => expect(fake.policy.document.sounds.sound).toEqual({ play: "file", path: "/home/ada/ding.oga" }));
    await user.selectOptions(screen.getByTestId("sound-critical-kind"), "");
    await waitFor(() => expect(fake.policy.document.tiers.critical.sound).toBeUndefined());
    await fireEvent.input(screen.getByTestId("volume"), { target: { value: "40" } });
    expect(last(fake, "preferences_set")?.sounds.volume).toBe(100);
    await fireEvent.change(screen.getByTestId("volume"));
    await waitFor(() => expect(fake.policy.document.sounds.volume).toBe(40));
  });

  it("are heard before they are needed, as loud as the slider stands", async () => {
    const { fake, user } = await openPage("sounds");
    await user.selectOptions(screen.getByTestId("sound-critical-kind"), "none");
    await user.click(screen.getByTestId("sound-critical-try"));
    expect((await screen.findByText("This is silence.")).dataset["testid"]).toBe("sound-critical-says");
    expect(last(fake, "sound_try")).toEqual({ do: "sound_try", sound: { play: "none" }, tier: "critical", volume: 100 });
    await fireEvent.input(screen.getByTestId("volume"), { target: { value: "35" } });
    await user.click(screen.getByTestId("sound-important-try"));
    await waitFor(() => expect(last(fake, "sound_try")).toEqual({ do: "sound_try", sound: { play: "default" }, tier: "important", volume: 35 }));
  });

  it("that cannot be played are told where they are set, and when they are tried", async () => {
    const { fake, user } = await openPage("sounds");
    expect((await screen.findByTestId("sounds-who")).textContent).toContain("by pw-play");
    await user.selectOptions(screen.getByTestId("sound-critical-kind"), "file");
    await user.type(await screen.findByTestId("sound-critical-path"), "/missing.oga{Tab}");
    const wrong = /The default sound is played instead/;
    expect(await screen.findByText(wrong)).toBeTruthy();
    await user.click(screen.getByTestId("sound-critical-try"));
    await waitFor(() => expect(screen.getByTestId("sound-critical-says").textContent).toContain("/missing.oga: this cannot be read"));
    await user.selectOptions(screen.getByTestId("sound-critical-kind"), "default");
    await waitFor(() => expect(screen.queryByText(wrong)).toBeNull());
    expect(fake.policy.document.tiers.critical.sound).toEqual({ play: "default" });
  });

  it("say that a volume is not heeded where nobody can", async () => {
    const { user } = await openPage("sounds", { scenario: "policy" }, (fake) => {
      fake.policy.sounds = () => ({ says: "The desktop plays the sounds, as loud as it likes.", volume: false, problems: [] });
    });
    expect((await screen.findByTestId("sounds-who")).textContent).toContain("as loud as it likes");
    expect(screen.queryByText("Only 0 % is heeded here.")).toBeNull();
    await fireEvent.input(screen.getByTestId("volume"), { target: { value: "40" } });
    expect(await screen.findByText("Only 0 % is heeded here.")).toBeTruthy();
    await user.click(screen.getByTestId("section-grid"));
  });

  it("go off, and stay on if that cannot be kept", async () => {
    const { fake, user } = await openPage("sounds");
    fake.failures.set("preferences_set", FULL);
    const box = screen.getByTestId<HTMLInputElement>("sounds-on");
    await user.click(box);
    expect((await screen.findAllByTestId("failure"))[0]?.textContent).toContain("The disk is full.");
    expect(box.checked).toBe(true);
  });
});

describe("privacy", () => {
  it("is set by tier, and given back for single rows", async () => {
    const { fake, user } = await openPage("privacy");
    await user.selectOptions(screen.getByTestId("privacy-critical"), "title_only");
    await user.selectOptions(screen.getByTestId("privacy-hidden"), "title_only");
    await waitFor(() => expect(fake.policy.document).toMatchObject({ tiers: { critical: { privacy: "title_only" } }, context: { hidden: "title_only" } }));
    const row = screen.getByTestId("privacy-row");
    expect(row.textContent).toContain("home: Title only");
    await user.click(within(row).getByRole("button"));
    await waitFor(() => expect(screen.queryByTestId("privacy-row")).toBeNull());
    expect(fake.policy.document.rows).toContainEqual({ account: 1, badge: "on" });
  });
});

describe("what is on the screen", () => {
  it("hides, holds or does nothing, for critical ones apart", async () => {
    const { fake, user } = await openPage("context");
    await user.selectOptions(screen.getByTestId("hush-presenting-critical"), "hold");
    await user.click(screen.getByTestId("ring-while-looking"));
    await waitFor(() => expect(fake.policy.document.context).toMatchObject({ presenting: { others: "hold", critical: "hold" }, ring_while_looking: true }));
  });
});

describe("what the desktop tells of the screen", () => {
  it("says what it does not tell, and nothing of the rest", async () => {
    await openPage("context");
    const told = async (around: string) => {
      const section = await screen.findByTestId(`around-${around}`);
      return within(section).queryByText("not told by this desktop") === null;
    };
    await waitFor(async () => expect(await told("screen_shared")).toBe(false));
    expect(screen.getByTestId("around-screen_shared").textContent).toContain("No desktop on Linux tells this");
    for (const around of ["locked", "presenting", "full_screen", "do_not_disturb"]) expect(await told(around)).toBe(true);
  });
});

describe("the simulator beside them", () => {
  it("compares the week with how it was before this visit, also after the page was left", async () => {
    const { fake, user, glass } = await openPage("quiet");
    glass.pass();
    const sum = await screen.findByTestId("simulator-sum");
    const before = /→ (\d+) toasts/.exec(sum.textContent ?? "")?.[1];
    expect(screen.getByTestId("simulator-same")).toBeTruthy();
    await user.click(screen.getByTestId("section-grid"));
    await user.selectOptions(await screen.findByTestId("tier-important-toast"), "off");
    await waitFor(() => expect(fake.policy.document.tiers.important.toast).toBe("off"));
    await waitFor(() => expect(glass.pass()).toBeGreaterThan(0));
    const list = await screen.findAllByTestId("difference");
    expect(list.length).toBeGreaterThan(10);
    expect(list[0]?.textContent).toMatch(/Toast at once|digest|Waits/);
    expect(list.some((one) => /Toast at once.*→.*Inbox only: toasts are off/.test(one.textContent ?? ""))).toBe(true);
    expect(screen.getByTestId("simulator-sum").textContent).not.toContain(`→ ${before} toasts`);
    await user.click(screen.getByTestId("compare-again"));
    await waitFor(() => expect(glass.pass()).toBeGreaterThan(0));
    expect(await screen.findByTestId("simulator-same")).toBeTruthy();
  });

  it("has its chart as a table too, by day and by hour", async () => {
    const { user, glass } = await openPage("batching");
    glass.pass();
    const table = await screen.findByTestId("chart-table");
    expect(within(table).getAllByRole("row")).toHaveLength(8);
    await user.click(screen.getByTestId("chart-by"));
    expect(within(table).getAllByRole("row")).toHaveLength(25);
  });
});

it.each(["grid", "quiet", "batching", "rules", "sounds", "privacy", "context"])("has nothing that axe objects to: %s", async (section) => {
  const { container, user, glass } = await openPage(section);
  glass.pass();
  await screen.findByTestId("chart");
  if (section === "rules") await user.click(screen.getAllByTestId("rule-edit")[1] as HTMLElement);
  expect(await violations(container)).toEqual([]);
  if (section !== "grid") return;
  await user.click(within(screen.getAllByTestId("cell-batch")[0] as HTMLElement).getAllByRole("button")[0] as HTMLElement);
  expect(await violations(container)).toEqual([]);
});
